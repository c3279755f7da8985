//! What a person sees while a drill runs: a live line on a terminal, plain lines elsewhere.

use std::{
    io::IsTerminal,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use blackstart_reports::{record::Status, render::status_word, safe};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::say;
use crate::drill::{Event, Listener, Stamped, validity};

/// Progress of all drills of one command.
#[derive(Clone)]
pub struct Progress {
    bars: Option<MultiProgress>,
    quiet: bool,
}

impl Progress {
    /// Live on a terminal, plain elsewhere, none where only the result is wanted.
    pub fn new(quiet: bool) -> Self {
        let live = !quiet && std::io::stderr().is_terminal();
        Self { bars: live.then(MultiProgress::new), quiet }
    }

    /// A listener for one drill. `name` stands before each line.
    pub fn listener(&self, name: &str) -> Listener {
        if self.quiet {
            return Arc::new(|_: &Stamped| {});
        }
        let lines = Lines { name: name.to_owned(), bar: self.bars.as_ref().map(live_line), last: Mutex::default() };
        Arc::new(move |stamped: &Stamped| lines.show(stamped))
    }

    /// Says something that belongs to no drill.
    pub fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(safe::page(text));
            }
            None if !self.quiet => say(text),
            None => {}
        }
    }
}

fn live_line(bars: &MultiProgress) -> ProgressBar {
    let bar = bars.add(ProgressBar::new_spinner());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

struct Lines {
    name: String,
    bar: Option<ProgressBar>,
    last: Mutex<String>,
}

impl Lines {
    fn show(&self, stamped: &Stamped) {
        let seconds = stamped.at_us as f64 / 1e6;
        let Some((is_lasting, text)) = words(&stamped.event) else { return };
        let line = safe::page(&format!("{seconds:6.1}s  {}  {text}", self.name));
        match &self.bar {
            Some(bar) if is_lasting => bar.suspend(|| say(&line)),
            Some(bar) => bar.set_message(safe::one_line(&line)),
            None if is_lasting => say(&line),
            // Outside a terminal, what only shows that something is alive is left out, unless it is news.
            None => {
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                if matches!(stamped.event, Event::Progress { .. }) && *last != text {
                    say(&line);
                    *last = text;
                }
            }
        }
        if let (Some(bar), Event::Phase { name }) = (&self.bar, &stamped.event)
            && name == "report"
        {
            bar.finish_and_clear();
        }
    }
}

/// As much of a line as fits beside the time and the name; the first line only.
fn first_part(text: &str) -> String {
    const WIDTH: usize = 90;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

/// The words of an event, and whether they stay on the screen.
fn words(event: &Event) -> Option<(bool, String)> {
    Some(match event {
        Event::Phase { name } => (true, format!("── {name}")),
        Event::Progress { text } => (false, first_part(text)),
        Event::Condition { summary } => (true, format!("in place: {summary}")),
        Event::BackedUp { id, bytes, duration_ms, .. } => {
            (true, format!("backup {id} ({:.1} MB, {:.1} s)", *bytes as f64 / 1e6, duration_ms / 1e3))
        }
        Event::Interrupted { id, proof } => (true, format!("FAULT  backup {id} is interrupted: {}", first_part(proof))),
        Event::RestoreTested { id, valid, detail } => {
            (true, format!("backup {id} {}: {}", validity(*valid), first_part(detail)))
        }
        Event::Fault { summary } => (true, format!("FAULT  {summary}")),
        Event::Bit { proof } => (true, format!("proof  {}", first_part(proof))),
        Event::Healed { summary } => (true, format!("healed {summary}")),
        Event::Detected { by } => (true, format!("detected by {by}")),
        Event::Step { name } => (false, format!("{name} ...")),
        Event::StepDone { name, status: Status::Passed, duration_ms, .. } => {
            (true, format!("step   {name} ({duration_ms:.0} ms)"))
        }
        Event::StepDone { name, detail, .. } => (true, format!("step   {name} FAILED: {detail}")),
        Event::Sustained => (true, "service is sustained".to_owned()),
        Event::Check { status: Status::Passed, .. } | Event::Fact(_) => return None,
        Event::Check { level, id, status, detail } => {
            (true, format!("level {level} {id}: {}: {}", status_word(*status), first_part(detail)))
        }
        Event::Traffic { acknowledged, failed } => (false, format!("{acknowledged} acknowledged, {failed} failed")),
        Event::Stopped { why } => (true, format!("stopped: {why}")),
        Event::Leftover { what } => (true, format!("left behind: {what}")),
    })
}
