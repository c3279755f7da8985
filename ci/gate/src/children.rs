//! The programs that run on our behalf. Told to end, they are told so too, and are waited for: a drill removes what it made.

use std::{
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// The programs that run now.
#[derive(Debug, Default)]
pub struct Children {
    running: Mutex<Vec<Pid>>,
    is_told: AtomicBool,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// None where a signal ended it, or where it never began.
    pub status: Option<i32>,
    /// What it said, both streams, without colours.
    pub said: String,
    pub took: Duration,
}

impl Ended {
    pub fn is_good(&self) -> bool {
        self.status == Some(0)
    }
}

/// Starts to listen to Ctrl-C, SIGTERM and the end of the terminal, each of which is passed on.
///
/// # Errors
/// Where the system does not let us.
pub fn heed_signals(children: &Arc<Children>) -> io::Result<()> {
    let (mut signals, heeding) = (Signals::new([SIGINT, SIGTERM, SIGHUP])?, Arc::clone(children));
    thread::spawn(move || signals.forever().for_each(|_| heeding.tell_to_end()));
    Ok(())
}

impl Children {
    /// Tells all that run to end, and lets no other begin. Told again, they are told again, as a person in a hurry wants it.
    fn tell_to_end(&self) {
        let running = self.running();
        self.is_told.store(true, Ordering::SeqCst);
        for pid in running.iter() {
            // One that has ended meanwhile needs no telling.
            let _ = kill_process_group(*pid, Signal::TERM);
        }
    }

    /// Whether we were told to end.
    pub fn are_told_to_end(&self) -> bool {
        self.is_told.load(Ordering::SeqCst)
    }

    fn running(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a program to its end, and hands on each line as it comes. It hears no Ctrl-C but by us: two would end a drill at
    /// once, and leave what it made.
    ///
    /// # Errors
    /// Where it cannot be started, or we were told to end.
    pub fn run(&self, mut command: Command, mut line: impl FnMut(&str)) -> io::Result<Ended> {
        let begun = Instant::now();
        let (hear, speak) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(speak.try_clone()?).stderr(speak).process_group(0);
        let mut child = {
            let mut running = self.running();
            if self.are_told_to_end() {
                return Err(io::Error::new(io::ErrorKind::Interrupted, "told to end"));
            }
            let child = command.spawn()?;
            running.extend(Pid::from_raw(i32::try_from(child.id()).unwrap_or_default()));
            child
        };
        // Our own ends of the pipe go, or it would never be at its end.
        drop(command);
        let said = listen(hear, &mut line);
        let status = child.wait();
        self.running().retain(|pid| pid.as_raw_nonzero().get().unsigned_abs() != child.id());
        Ok(Ended { status: status?.code(), said, took: begun.elapsed() })
    }
}

fn listen(hear: impl io::Read, line: &mut impl FnMut(&str)) -> String {
    let mut said = String::new();
    let mut lines = BufReader::new(hear).split(b'\n');
    while let Some(Ok(bytes)) = lines.next() {
        let text = without_colours(&String::from_utf8_lossy(&bytes));
        line(&text);
        said.push_str(&text);
        said.push('\n');
    }
    said
}

/// A text without the escape sequences by which terminals are told colours.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once(|letter: char| letter.is_ascii_alphabetic()).map_or("", |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_program_is_heard_to_its_end() {
        let mut lines = Vec::new();
        let ended =
            Children::default().run(shell("echo one; echo two >&2; exit 4"), |line| lines.push(line.to_owned()));
        let ended = ended.unwrap();
        assert_eq!((ended.status, ended.said.as_str()), (Some(4), "one\ntwo\n"));
        assert_eq!(lines, ["one", "two"]);
    }

    #[test]
    fn colours_are_left_out() {
        assert_eq!(without_colours("\u{1b}[31;1m9 passed\u{1b}[0m, \u{1b}[1m0\u{1b}[m failed"), "9 passed, 0 failed");
    }

    #[test]
    fn told_to_end_a_program_clears_up_and_no_other_begins() {
        let children = Children::default();
        let waits = shell("trap 'echo cleared up; exit 3' TERM; echo begun; while :; do sleep 0.05; done");
        let ended = children.run(waits, |line| {
            if line == "begun" {
                children.tell_to_end();
            }
        });
        let ended = ended.unwrap();
        assert!(ended.status == Some(3) && ended.said.ends_with("cleared up\n"), "{ended:?}");
        assert_eq!(children.run(shell("true"), |_| ()).unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert!(children.running().is_empty());
    }

    #[test]
    fn what_a_signal_ended_has_no_status() {
        let ended = Children::default().run(shell("kill -KILL $$"), |_| ()).unwrap();
        assert_eq!((ended.status, ended.is_good()), (None, false));
    }
}
