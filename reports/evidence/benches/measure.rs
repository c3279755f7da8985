//! What a run of a million requests costs: to analyse its history, to write it down as it happens, and to verify its folder.
//! Processor time and memory, against the budget of 1 s and 200 MB for a million.
//!
//! `cargo bench --bench measure [-- REQUESTS]`. The history itself is made first and its memory is told apart. Writing and
//! verifying are measured in processes of their own.

#[path = "../../../harness/benches/shared/mod.rs"]
mod shared;

use std::{fs, path::Path, process::Command, time::Duration};

use blackstart_evidence::{
    audit::audit,
    declared::ServiceLevel,
    event::{Event, Stamped},
    fact::{Began, Fact, Watched, digest_of_tokens},
    folder,
    history::{History, Outcome, Sender, Sent, Words},
    journal::{Journal, RequestLog},
    manifest,
    measure::{Deadlines, Observed, measure_load, outages, recovery_point, recovery_time},
    observations::Observations,
    rebuild::{self, Sources},
};
use blackstart_reports::{
    record::{Interval, Record, Verdict},
    render::{Format, Style, json, render},
};

const MS: u64 = 1000;
/// The requests come so fast, and this long before the end the system is down for as long.
const EVERY_US: u64 = 100;
const OUTAGE_US: u64 = 4_000 * MS;

/// A run whose folder is filled with so many requests: its scenario, its observations and its record.
const SCENARIO: &str = include_str!("../../../harness/fuzz/evidence/scenario.yaml");
const OBSERVATIONS: &str = include_str!("../../../harness/fuzz/evidence/observations.json");
const RECORD: &str = include_str!("../../samples/synchronous/result.json");

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let requests = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1_000_000_u64);
    match &words[..] {
        [what, folder, ..] if what == "log" => write_down(requests, Path::new(folder)),
        [what, folder, ..] if what == "verify" => verify(requests, Path::new(folder)),
        _ => {
            analyse(requests);
            let folder = std::env::temp_dir().join(format!("blackstart-bench-{}", std::process::id()));
            let run = folder.join("run");
            fs::create_dir_all(&run).expect("a folder");
            again("log", requests, &run);
            fill(requests, &run);
            again("verify", requests, &run);
            fs::remove_dir_all(folder).expect("its removal");
        }
    }
}

/// This program once more, for one measurement in a process of its own.
fn again(what: &str, requests: u64, run: &Path) {
    let own = std::env::current_exe().expect("this program");
    let done = Command::new(own).arg(what).arg(run).arg(requests.to_string()).status().expect("it runs");
    assert!(done.success(), "{what}");
}

/// What writing requests down as they happen costs: the client, who only tells of them, and the whole of it.
fn write_down(requests: u64, run: &Path) {
    let (history, ..) = history(requests);
    let (made_kb, before) = (memory_kb("VmRSS"), process_time());
    let log = RequestLog::create(&run.join("history.jsonl")).expect("a file");
    let tell = log.requests();
    // As many at a time as a load might send in the time that it takes to write them.
    let mut told = Duration::ZERO;
    for some in history.chunks(1000) {
        told += timed(|| some.iter().for_each(|sent| tell.tell(sent))).1;
        std::thread::sleep(Duration::from_millis(5));
    }
    log.close().expect("written");
    let whole = process_time().saturating_sub(before);
    let each = |took: Duration| took.as_secs_f64() * 1e6 / requests as f64;
    println!(
        "  written down    {whole:>10.1?}   {:.1} µs a request, of which the client {:.1} µs; {} MB on top of the history",
        each(whole),
        each(told),
        memory_kb("VmHWM").saturating_sub(made_kb) / 1024
    );
}

/// Makes a whole run of this history: journal, observations, and the record that follows from them.
fn fill(requests: u64, run: &Path) {
    let (history, survivors, fault_us) = history(requests);
    let told: Observations = serde_json::from_str(OBSERVATIONS).expect("observations");
    let fault = Interval::new(fault_us, fault_us + 3 * MS);
    let watched = Watched {
        load_started_us: Some(0),
        undisturbed_us: Some(0),
        load_ended_us: history.last().map_or(0, |sent| sent.returned_us),
        recovery_started_us: Some(fault_us + 700 * MS),
        failback_us: None,
        longest_stall_us: 0,
        load_stopped_us: Some(requests * EVERY_US),
        stalls_us: Vec::new(),
        faults: Vec::new(),
        conditions: Vec::new(),
    };
    let record: Record = json::read(RECORD).expect("a record");
    write_journal(run, &record, fault, watched, &survivors);
    fs::write(run.join("scenario.yaml"), SCENARIO).expect("written");
    let (journal, resolved) = (folder::journal(run).expect("a journal"), folder::resolved(run).expect("a scenario"));
    let told = Observations { survivors: Some(survivors), stranded: None, ..told };
    let observations = rebuild::observations(&told, &journal, &resolved).expect("a load ran");
    fs::write(run.join("observations.json"), serde_json::to_string(&observations).expect("JSON")).expect("written");
    let measured = observations.measure(&history);
    let sources = Sources {
        journal: &journal,
        history: &history,
        resolved: &resolved,
        digest: manifest::digest_of(SCENARIO),
        measured: Some((&observations, &measured)),
    };
    let mut value = serde_json::to_value(&record).expect("JSON");
    let fields = rebuild::fields(&record, &sources).into_iter().map(|(name, field)| (name.to_owned(), field));
    value.as_object_mut().expect("fields").extend(fields.filter(|(_, field)| !field.is_null()));
    let record: Record = serde_json::from_value(value).expect("a record");
    fs::write(run.join("result.json"), json::render(&record)).expect("written");
    let report = render(&record, Format::Markdown, &Style::default());
    fs::write(run.join("report.md"), report).expect("written");
    manifest::seal(run).expect("sums");
}

fn write_journal(run: &Path, record: &Record, fault: Interval<u64>, watched: Watched, survivors: &[String]) {
    let journal = Journal::chained(&run.join("events.jsonl")).expect("a journal");
    let began = Began {
        tool_version: record.tool_version.clone(),
        run_id: record.run_id.clone(),
        started_at: record.started_at.clone(),
        scenario: record.scenario.clone(),
        seed: record.seed,
        world: record.world,
    };
    let (count, digest) = (survivors.len() as u64, digest_of_tokens(survivors));
    let facts = [
        Fact::Began(began),
        Fact::Struck { began_us: fault, takes_service: true },
        Fact::Watched(watched),
        Fact::Survivors { copy: None, count, digest },
        Fact::Ended { verdict: Verdict::Passed },
    ];
    for fact in facts {
        journal.append(&Stamped { at_us: 0, event: Event::Fact(Box::new(fact)) }).expect("an entry");
    }
}

/// What verifying the folder costs.
fn verify(requests: u64, run: &Path) {
    let (started, before) = (uptime(), process_time());
    let audit = audit(run).expect("the folder of a run");
    let (lasted, took) = (uptime() - started, process_time().saturating_sub(before));
    let holds = |what: &str| audit.findings.iter().any(|finding| finding.what == what && finding.holds);
    assert!(["history", "observed", "RPO", "RTO", "load"].into_iter().all(holds), "{audit}");
    println!(
        "  verified        {took:>10.1?}   in {lasted:.1} s by the clock, {:.1} µs a request; peak {} MB",
        took.as_secs_f64() * 1e6 / requests as f64,
        memory_kb("VmHWM") / 1024
    );
}

/// The seconds since this machine was started, to a hundredth: no clock belongs into the evidence.
fn uptime() -> f64 {
    let told = fs::read_to_string("/proc/uptime").unwrap_or_default();
    told.split_whitespace().next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default()
}

/// The processor time of all threads of this process so far.
fn process_time() -> Duration {
    let told = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = told.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    // A tick is a hundredth of a second on every Linux.
    Duration::from_millis(ticks * 10)
}

fn analyse(requests: u64) {
    let before_kb = memory_kb("VmRSS");
    let (history, survivors, fault_us) = history(requests);
    let made_kb = memory_kb("VmRSS");
    let level = ServiceLevel::default();
    let observed = Observed {
        history: &history,
        fault: Some(Interval::new(fault_us, fault_us + 3 * MS)),
        recovery_started_us: Some(fault_us + 700 * MS),
        failback_us: None,
        undisturbed_us: 0,
        faults: &[],
        load_started_us: 0,
        load_stopped_us: requests * EVERY_US,
        load_ended_us: requests * EVERY_US,
        load_interval_us: 2 * EVERY_US,
        survivors: &survivors,
        stranded: None,
        level: &level,
        verified_us: None,
        stalls: &[],
        is_disturbed: false,
        deadlines: Deadlines::default(),
    };
    let (point, point_took) = timed(|| recovery_point(&observed));
    let (time, time_took) = timed(|| recovery_time(&observed));
    let (_, load_took) = timed(|| measure_load(&observed, time.restored.map(|restored| restored.at)));
    let (spans, outages_took) = timed(|| outages(&history, 2_000 * MS, requests * EVERY_US, &[]));
    let peak_kb = memory_kb("VmHWM");
    let whole = point_took + time_took + load_took + outages_took;
    println!("a history of {requests} requests, of which {} are lost; {} outages", point.loss.lost.len(), spans.len());
    println!("  recovery point  {point_took:>10.1?}\n  recovery time   {time_took:>10.1?}");
    println!("  load            {load_took:>10.1?}\n  outages         {outages_took:>10.1?}");
    println!("  all of it       {whole:>10.1?}   budget 1 s for a million: {:.0} %", share(whole, requests));
    println!(
        "  memory: history {} MB, analysis {} MB on top, peak {} MB (budget 200 MB for all of it)",
        made_kb.saturating_sub(before_kb) / 1024,
        peak_kb.saturating_sub(made_kb) / 1024,
        peak_kb / 1024
    );
}

/// The share of the budget, in percent, if the time grows as the requests do.
fn share(took: Duration, requests: u64) -> f64 {
    took.as_secs_f64() / (requests as f64 / 1e6) * 100.0
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = shared::processor_time();
    let done = work();
    (done, shared::processor_time().saturating_sub(started))
}

/// A drill as it might have been: a fault near the middle, refusals and hangs for a while, a few lost writes before it.
fn history(requests: u64) -> (History, Vec<String>, u64) {
    let fault_us = requests / 2 * EVERY_US;
    let mut survivors = Vec::with_capacity(requests as usize);
    let mut history = History::with_capacity(requests as usize);
    let mut words = Words::default();
    for number in 0..requests {
        let sent_us = number * EVERY_US;
        let is_down = (fault_us..fault_us + OUTAGE_US).contains(&sent_us);
        let outcome = match (is_down, number % 3) {
            (true, 0) => Outcome::Indeterminate,
            (true, _) => Outcome::Refused,
            (false, _) => Outcome::Ok,
        };
        let took_us = if outcome == Outcome::Indeterminate { 400 * MS } else { 3 * MS + number % 1000 };
        let token = format!("load-{number:06}");
        let is_lost = (fault_us.saturating_sub(50 * MS)..fault_us).contains(&(sent_us + took_us));
        if outcome == Outcome::Ok && !is_lost {
            survivors.push(token.clone());
        }
        history.push(Sent {
            token: token.into_boxed_str(),
            sender: if number % 2 == 0 { Sender::Load } else { Sender::Probe },
            kind: words.share("place"),
            intended_us: sent_us,
            sent_us,
            returned_us: sent_us + took_us,
            outcome,
            reply: words.share("200"),
        });
    }
    history.sort_by_key(|sent| sent.returned_us);
    (history, survivors, fault_us)
}

/// A line of `/proc/self/status`, in kB; zero where there is no such file.
fn memory_kb(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
