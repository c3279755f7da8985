//! What every rendering shows, before it has a form: the record as a few small sheets of cells.
//!
//! The renderings differ in layout, never in content or rounding, since both are decided here.

use super::text;
use super::words::{self, Tone};
use crate::record::{
    CheckResult, Endpoint, FaultResult, Interval, LevelResult, Outage, Record, Rpo, RpoTarget, Rto, Status,
    TargetVerdict, Verdict,
};
use crate::verdict::{evaluate_rpo, rto_verdict};

/// One cell of a sheet: clean text on one line, and how it is meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) tone: Tone,
}

impl Cell {
    pub(super) fn plain(text: impl AsRef<str>) -> Self {
        Self { text: text::clean(text.as_ref()), tone: Tone::Plain }
    }

    pub(super) fn quiet(text: impl AsRef<str>) -> Self {
        Self { text: text::clean(text.as_ref()), tone: Tone::Quiet }
    }

    pub(super) fn toned((text, tone): (&str, Tone)) -> Self {
        Self { text: text.to_owned(), tone }
    }
}

/// A table under a title.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sheet {
    pub(super) title: &'static str,
    pub(super) header: &'static [&'static str],
    /// The columns that hold numbers, and are aligned to the right.
    pub(super) numeric: &'static [usize],
    pub(super) rows: Vec<Vec<Cell>>,
}

/// The run on one line: identifier, seed, world, duration.
pub(super) fn identity(record: &Record) -> Vec<(&'static str, String)> {
    let covers = if record.scenario.covers.is_empty() { "-".to_owned() } else { record.scenario.covers.join(", ") };
    let disaster = format!("{}, {}", record.scenario.disaster.origin, text::in_words(&record.scenario.disaster.cause));
    let facts = [
        ("scenario", record.scenario.id.clone()),
        ("run", record.run_id.clone()),
        ("started", record.started_at.clone()),
        ("took", text::seconds(total_seconds(record))),
        ("seed", record.seed.to_string()),
        ("world", words::world(record.world).to_owned()),
        ("disaster", disaster),
        ("covers", covers),
        ("digest", format!("sha256:{}", record.scenario.digest)),
        ("written by", format!("blackstart {}, schema version {}", record.tool_version, record.schema_version)),
        ("exit status", record.exit_status().to_string()),
    ];
    facts.into_iter().map(|(name, value)| (name, text::clean(&value))).collect()
}

/// How long all phases took together.
pub(super) fn total_seconds(record: &Record) -> f64 {
    record.phases.iter().map(|phase| phase.seconds).sum()
}

/// The title of the drill, clean; its identifier where it has none.
pub(super) fn title(record: &Record) -> String {
    let title = text::clean(&record.scenario.title);
    if title.is_empty() { text::clean(&record.scenario.id) } else { title }
}

/// The reasons of the verdict, clean and not empty; what was left behind counts among them.
pub(super) fn reasons(record: &Record) -> Vec<String> {
    let mut reasons = clean_lines(&record.reasons);
    if !record.leftovers.is_empty() {
        let things = text::plural(record.leftovers.len() as u64, "thing", "things");
        reasons.push(format!("the run left {things} behind that it could not remove"));
    }
    reasons
}

/// Lines of data, clean and not empty.
pub(super) fn clean_lines(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| text::clean(line)).filter(|line| !line.is_empty()).collect()
}

/// The moment that the timeline counts from, and in which words.
pub(super) struct Origin {
    pub(super) at_ms: f64,
    pub(super) meaning: &'static str,
}

/// The earliest moment at which the first fault can have bitten; the start of the run where nothing was broken.
pub(super) fn origin(record: &Record) -> Origin {
    match first_fault(record) {
        Some(began) => Origin { at_ms: began.lower, meaning: "t counts from the fault" },
        None => Origin { at_ms: 0.0, meaning: "t counts from the start of the run, as no fault was put in place" },
    }
}

/// When the first fault was put in place.
pub(super) fn first_fault(record: &Record) -> Option<Interval<f64>> {
    let began = record.faults.iter().map(|fault| fault.began_ms).filter(|began| began.lower.is_finite());
    began.min_by(|a, b| a.lower.total_cmp(&b.lower))
}

/// A moment relative to the origin, such as `t+3.40 s`.
pub(super) fn moment(origin: &Origin, at_ms: f64) -> String {
    let seconds = (at_ms - origin.at_ms) / 1000.0;
    if !seconds.is_finite() {
        return "unknown".to_owned();
    }
    let digits = if seconds.abs() < 100.0 { 2 } else { 1 };
    let size = text::fixed(seconds, digits);
    if size.starts_with('-') { format!("t{size} s") } else { format!("t+{size} s") }
}

pub(super) fn moments(origin: &Origin, at_ms: Interval<f64>) -> String {
    let (lower, upper) = (moment(origin, at_ms.lower), moment(origin, at_ms.upper));
    if lower == upper { lower } else { format!("{lower} … {upper}") }
}

/// One measurement against its target.
pub(super) struct Measure {
    /// Its key in the record.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    pub(super) measured: String,
    pub(super) target: String,
    pub(super) verdict: TargetVerdict,
}

/// The recovery point and the recovery times against their targets.
pub(super) fn measures(record: &Record) -> Vec<Measure> {
    let unmeasured = record.rpo_unmeasured.as_deref().filter(|_| record.rpo.is_none()).map(unmeasured);
    let rpo = record.rpo.iter().flat_map(|rpo| [lost_writes(rpo), lost_seconds(rpo)]);
    let endpoints = [Endpoint::Service, Endpoint::Recovery, Endpoint::Verified];
    let rto = record.rto.iter().flat_map(|rto| endpoints.map(|endpoint| recovery_time(record, rto, endpoint)));
    let failback = record.rto.iter().filter_map(failback);
    unmeasured.into_iter().chain(rpo).chain(rto).chain(failback).collect()
}

fn unmeasured(why: &str) -> Measure {
    let measured = format!("not measured: {why}");
    Measure { key: "rpo", name: "RPO", measured, target: "-".to_owned(), verdict: TargetVerdict::NotExercised }
}

/// The failback, where there was one or one is demanded.
fn failback(rto: &Rto) -> Option<Measure> {
    if rto.failback.is_none() && rto.failback_target.is_none() {
        return None;
    }
    Some(Measure {
        key: "rto.failback",
        name: "failback, shut down to service",
        measured: rto
            .failback
            .map_or_else(|| "not within the run".to_owned(), |bounds| text::span_against(bounds, rto.failback_target)),
        target: rto
            .failback_target
            .map_or_else(|| "-".to_owned(), |most| format!("at most {}", text::goal_seconds(most))),
        verdict: rto.failback_verdict,
    })
}

fn lost_writes(rpo: &Rpo) -> Measure {
    let goal = RpoTarget { lost_writes: rpo.target.lost_writes, seconds: None };
    let measured =
        if rpo.exercised { format!("{} lost", text::counts(rpo.lost_writes)) } else { "not exercised".to_owned() };
    Measure {
        key: "rpo.lost_writes",
        name: "RPO, acknowledged writes",
        measured,
        target: goal.lost_writes.map_or_else(|| "-".to_owned(), |most| format!("at most {}", text::count(most))),
        verdict: evaluate_rpo(rpo, goal),
    }
}

fn lost_seconds(rpo: &Rpo) -> Measure {
    let goal = RpoTarget { lost_writes: None, seconds: rpo.target.seconds };
    let resolution = text::seconds(rpo.resolution_seconds);
    let measured = if rpo.exercised && rpo.time_exercised {
        format!("{} (resolution {resolution})", text::span_against(rpo.seconds, goal.seconds))
    } else {
        "not exercised".to_owned()
    };
    Measure {
        key: "rpo.seconds",
        name: "RPO, time",
        measured,
        target: goal.seconds.map_or_else(|| "-".to_owned(), |most| format!("at most {}", text::goal_seconds(most))),
        verdict: evaluate_rpo(rpo, goal),
    }
}

fn recovery_time(record: &Record, rto: &Rto, endpoint: Endpoint) -> Measure {
    let (measured, name) = match endpoint {
        Endpoint::Service => (rto.service, "RTO, fault to service"),
        Endpoint::Recovery => (rto.recovery, "RTO, recovery to service"),
        Endpoint::Verified => (rto.verified, "RTO, fault to verified"),
    };
    let target = rto.target.filter(|_| endpoint == rto.endpoint);
    let absent = match endpoint {
        // What a control is evaluated by stands beside what it does not exercise.
        _ if record.is_control() && target.is_some() => format!("not exercised; {}", outages_in_short(rto)),
        _ if record.is_control() || !rto.exercised => "not exercised".to_owned(),
        Endpoint::Recovery if record.procedure.is_empty() => "no procedure ran".to_owned(),
        _ => "not within the run".to_owned(),
    };
    Measure {
        key: words::endpoint_key(endpoint),
        name,
        measured: measured.map_or(absent, |bounds| text::span_against(bounds, target)),
        target: target.map_or_else(|| "-".to_owned(), |most| format!("at most {}", text::goal_seconds(most))),
        verdict: if target.is_some() { rto_verdict(record, rto) } else { TargetVerdict::NotDeclared },
    }
}

/// How many outages a control had, and how long the longest lasted.
fn outages_in_short(rto: &Rto) -> String {
    let longest = rto.outages.iter().map(|outage| outage.seconds()).max_by(|one, other| {
        let upper = |seconds: &Option<Interval<f64>>| seconds.map_or(f64::INFINITY, |seconds| seconds.upper);
        upper(one).total_cmp(&upper(other))
    });
    match longest {
        None => "no outage".to_owned(),
        Some(None) => "an outage lasted to the end of the run".to_owned(),
        Some(Some(seconds)) => {
            format!(
                "{}, the longest of {}",
                text::plural(rto.outages.len() as u64, "outage", "outages"),
                text::span(seconds)
            )
        }
    }
}

/// The measurements as a sheet.
pub(super) fn measures_sheet(record: &Record) -> Sheet {
    let row = |measure: Measure| {
        let verdict = Cell::toned(words::target(measure.verdict));
        vec![Cell::plain(measure.name), Cell::plain(measure.measured), Cell::plain(measure.target), verdict]
    };
    Sheet {
        title: "RPO and RTO",
        header: &["measure", "measured", "target", "verdict"],
        numeric: &[],
        rows: measures(record).into_iter().map(row).collect(),
    }
}

/// What belongs to the measurements, one sentence each.
pub(super) fn measure_remarks(record: &Record) -> Vec<String> {
    let mut remarks = Vec::new();
    if record.rpo.is_none() && record.rto.is_none() {
        return remarks;
    }
    if let Some(rpo) = &record.rpo
        && rpo.exercised
        && rpo.lost_writes.lower < rpo.lost_writes.upper
    {
        let unsure = text::plural(
            rpo.lost_writes.upper - rpo.lost_writes.lower,
            "unanswered write that is missing",
            "unanswered writes that are missing",
        );
        remarks.push(format!("The upper end of the lost writes counts {unsure}; the verdict uses the lower end, as nothing else was promised to a client."));
    }
    if let Some(rto) = &record.rto {
        if rto.failback.is_some() {
            remarks.push(
                "The planned failback took the service away once more; the recovery time leaves it out.".to_owned(),
            );
        }
        if rto.upper_is_sample {
            remarks.push("Too few requests followed the outage to tell when it was over at the latest, so the upper end of the recovery time meets no target.".to_owned());
        }
        if let Some(prober) = rto.tight_loop_seconds {
            remarks.push(format!("An independent prober in a tight loop saw an outage of {}.", text::span(prober)));
        }
        remarks.extend(clean_lines(&rto.excluded).into_iter().map(|what| format!("Not counted: {what}.")));
    }
    let stall = text::millis(record.harness.longest_stall_ms);
    if record.harness.degraded {
        remarks.push(format!("DEGRADED: the harness itself stalled for {stall}, more than half its probe interval."));
    } else {
        remarks.push(format!("The harness itself stalled for {stall} at most; the bounds include it."));
    }
    remarks
}

/// The levels in order, with their status as recorded.
pub(super) fn levels(record: &Record) -> Vec<&LevelResult> {
    let mut levels: Vec<&LevelResult> = record.levels.iter().collect();
    levels.sort_by_key(|level| level.level);
    levels
}

/// Six signs, one a level. A level without a record was not reached if the drill could not run, else not declared.
pub(super) fn signs(record: &Record) -> String {
    let absent = if record.verdict == Verdict::CouldNotRun { Status::NotReached } else { Status::NotDeclared };
    let status = |number: u8| record.levels.iter().find(|level| level.level == number).map_or(absent, |l| l.status);
    (1..=6).map(|number| words::sign(status(number))).collect()
}

/// The checks of all levels, one row each; a level without checks has one row that says so.
pub(super) fn checks_sheet(record: &Record) -> Sheet {
    let mut rows = Vec::new();
    for level in levels(record) {
        let name = format!("{} {}", level.level, level.name);
        if level.checks.is_empty() {
            let none = Cell::quiet("no check is declared");
            rows.push(vec![
                Cell::plain(&name),
                Cell::quiet("-"),
                Cell::toned(words::status(level.status)),
                none,
                Cell::quiet(""),
                Cell::quiet(""),
            ]);
        }
        for check in &level.checks {
            rows.push(vec![
                Cell::plain(&name),
                Cell::plain(&check.id),
                Cell::toned(words::status(check.status)),
                Cell::plain(&check.detail),
                Cell::quiet(check_took(check)),
                Cell::quiet(check.cannot_prove.as_deref().unwrap_or("")),
            ]);
        }
    }
    Sheet {
        title: "Six levels",
        header: &["level", "check", "status", "what it looked at", "took", "cannot prove"],
        numeric: &[4],
        rows,
    }
}

/// How long a check took; empty where it did not run.
pub(super) fn check_took(check: &CheckResult) -> String {
    match check.status {
        Status::NotReached | Status::NotDeclared => String::new(),
        _ => text::millis(check.duration_ms as f64),
    }
}

/// What was lost and what was not, by kind. Kinds that can only mean harm are shown in a warning tone.
pub(super) fn losses_sheet(rpo: &Rpo) -> Sheet {
    let harm = |value: u64| if value > 0 { Tone::Bad } else { Tone::Plain };
    let stranded = rpo.stranded.map_or_else(|| "not asked".to_owned(), text::count);
    let rows = [
        (
            "lost",
            text::counts(rpo.lost_writes),
            harm(rpo.lost_writes.lower),
            if rpo.lost_writes.lower == rpo.lost_writes.upper {
                "acknowledged, and missing after recovery"
            } else {
                "acknowledged, and missing after recovery; the upper end also counts unanswered ones"
            },
        ),
        ("stranded", stranded, Tone::Plain, "lost, but still readable on the failed node"),
        (
            "holes",
            text::count(rpo.non_prefix_loss),
            harm(rpo.non_prefix_loss),
            "lost although a later write survived: more than replication lag",
        ),
        ("recovered", text::count(rpo.recovered), Tone::Plain, "never answered, and present after recovery"),
        ("phantom", text::count(rpo.phantom), harm(rpo.phantom), "refused, and present all the same"),
        ("unexpected", text::count(rpo.unexpected), harm(rpo.unexpected), "present, and never sent"),
        ("duplicated", text::count(rpo.duplicated), harm(rpo.duplicated), "present more than once"),
    ];
    let row = |(name, value, tone, meaning): (&str, String, Tone, &str)| {
        vec![Cell::plain(name), Cell { text: value, tone }, Cell::quiet(meaning)]
    };
    Sheet {
        title: "What was lost",
        header: &["kind", "writes", "meaning"],
        numeric: &[1],
        rows: rows.into_iter().map(row).collect(),
    }
}

/// The first lost writes, at most so many.
pub(super) fn lost_writes_sheet(record: &Record, rpo: &Rpo, most: usize) -> Sheet {
    let origin = origin(record);
    let row = |write: &crate::record::LostWrite| {
        let stranded = match write.stranded {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not asked",
        };
        vec![
            Cell::plain(&write.token),
            Cell::plain(&write.kind),
            Cell::plain(moment(&origin, write.sent_ms)),
            Cell::plain(moment(&origin, write.acknowledged_ms)),
            Cell::plain(stranded),
        ]
    };
    Sheet {
        title: "Lost writes",
        header: &["token", "kind", "sent", "acknowledged", "readable on the failed node"],
        numeric: &[2, 3],
        rows: rpo.lost.iter().take(most).map(row).collect(),
    }
}

/// How many lost writes a rendering of the first few leaves out, as a sentence.
pub(super) fn more_lost(rpo: &Rpo, most: usize) -> Option<String> {
    let left_out = rpo.lost.len().saturating_sub(most);
    (left_out > 0).then(|| format!("and {left_out} more, listed in result.json"))
}

/// The recovery procedure, step by step.
pub(super) fn procedure_sheet(record: &Record) -> Sheet {
    let origin = origin(record);
    let row = |(index, step): (usize, &crate::record::StepResult)| {
        vec![
            Cell::quiet((index + 1).to_string()),
            Cell::plain(moment(&origin, step.began_ms)),
            Cell::plain(&step.name),
            Cell::toned(words::status(step.status)),
            Cell::plain(text::millis(step.duration_ms)),
            Cell::quiet(&step.detail),
        ]
    };
    Sheet {
        title: "Recovery procedure",
        header: &["#", "began", "step", "status", "took", "what came back"],
        numeric: &[0, 1, 4],
        rows: record.procedure.iter().enumerate().map(row).collect(),
    }
}

/// What happened when, relative to the fault.
pub(super) fn timeline_sheet(record: &Record) -> Sheet {
    let origin = origin(record);
    let mut entries: Vec<_> = record.timeline.iter().collect();
    entries.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
    let tone = |kind: &str| match kind {
        "fault" => Tone::Bad,
        "phase" => Tone::Quiet,
        _ => Tone::Plain,
    };
    let row = |entry: &crate::record::TimelineEntry| {
        let tone = tone(&entry.kind);
        vec![
            Cell::plain(moment(&origin, entry.at_ms)),
            Cell { text: text::clean(&entry.kind), tone },
            Cell { text: text::clean(&entry.text), tone },
        ]
    };
    Sheet {
        title: "Timeline",
        header: &["when", "kind", "what"],
        numeric: &[0],
        rows: entries.into_iter().map(row).collect(),
    }
}

/// The spans in which clients were not served.
pub(super) fn outages_sheet(record: &Record) -> Sheet {
    let origin = origin(record);
    let outages = record.rto.iter().flat_map(|rto| &rto.outages);
    let row = |outage: &Outage| {
        let ended = outage.ended_ms.map_or_else(|| "not within the run".to_owned(), |ended| moments(&origin, ended));
        vec![
            Cell::plain(moments(&origin, outage.began_ms)),
            Cell::plain(ended),
            Cell::plain(outage_length(outage)),
            Cell::plain(text::count(outage.failed_requests)),
        ]
    };
    Sheet {
        title: "Outages as clients saw them",
        header: &["began", "ended", "lasted", "failed requests"],
        numeric: &[3],
        rows: outages.map(row).collect(),
    }
}

fn outage_length(outage: &Outage) -> String {
    outage.seconds().map_or_else(|| "to the end of the run".to_owned(), text::span)
}

/// The milestones in the order of time.
pub(super) fn milestones(record: &Record) -> Vec<(String, Interval<f64>)> {
    let mut all: Vec<_> = record.milestones.iter().map(|(name, at)| (text::in_words(name), *at)).collect();
    all.sort_by(|a, b| a.1.lower.total_cmp(&b.1.lower));
    all
}

pub(super) fn milestones_sheet(record: &Record) -> Sheet {
    let origin = origin(record);
    let row = |(name, at): (String, Interval<f64>)| vec![Cell::plain(name), Cell::plain(moments(&origin, at))];
    Sheet {
        title: "Milestones",
        header: &["milestone", "when"],
        numeric: &[],
        rows: milestones(record).into_iter().map(row).collect(),
    }
}

/// What the clients saw, stage by stage and in all.
pub(super) fn load_sheet(record: &Record) -> Sheet {
    let mut rows = Vec::new();
    if let Some(load) = &record.load {
        for stage in &load.stages {
            let counts = [stage.acknowledged, stage.refused, stage.indeterminate];
            let row = load_row(&stage.stage, stage.seconds, counts, stage.latency_ms);
            rows.push(with_spread(row, &stage.latency_histogram));
        }
        let seconds = load.stages.iter().map(|stage| stage.seconds).sum();
        let counts = [load.acknowledged, load.refused, load.indeterminate];
        rows.push(with_spread(load_row("in all", seconds, counts, load.latency_ms), &[]));
    }
    Sheet {
        title: "Load and latency",
        header: &[
            "stage",
            "lasted",
            "acknowledged",
            "per s",
            "refused",
            "no answer",
            "p50",
            "p99",
            "max",
            "spread, from 1 ms",
        ],
        numeric: &[1, 2, 3, 4, 5, 6, 7, 8],
        rows,
    }
}

fn load_row(name: &str, seconds: f64, counts: [u64; 3], latency: Option<crate::record::Latency>) -> Vec<Cell> {
    let [acknowledged, refused, indeterminate] = counts;
    let rate = if seconds > 0.0 { text::fixed(acknowledged as f64 / seconds, 1) } else { "-".to_owned() };
    let mut row = vec![Cell::plain(name), Cell::plain(text::seconds(seconds))];
    row.extend([Cell::plain(text::count(acknowledged)), Cell::plain(rate)]);
    row.extend([Cell::plain(text::count(refused)), Cell::plain(text::count(indeterminate))]);
    match latency {
        Some(latency) => row.extend([latency.p50, latency.p99, latency.max].map(|ms| Cell::plain(text::millis(ms)))),
        None => row.extend(["-", "-", "-"].map(Cell::quiet)),
    }
    row
}

/// A row with the spread of its latencies: one block for each doubling from a millisecond on, as tall as its share.
fn with_spread(mut row: Vec<Cell>, histogram: &[crate::record::LatencyBucket]) -> Vec<Cell> {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = histogram.iter().map(|bucket| bucket.count).max().unwrap_or_default().max(1);
    let block = |count: u64| match count {
        0 => '·',
        some => BLOCKS[((some * 8).div_ceil(most).clamp(1, 8) - 1) as usize],
    };
    let spread: String = histogram.iter().map(|bucket| block(bucket.count)).collect();
    row.push(Cell::quiet(if spread.is_empty() { "-".to_owned() } else { spread }));
    row
}

/// The phases with their share of the whole.
pub(super) fn phases_sheet(record: &Record) -> Sheet {
    let total = total_seconds(record);
    let row = |phase: &crate::record::Phase| {
        let share = text::share(phase.seconds, total);
        vec![Cell::plain(&phase.name), Cell::plain(text::seconds(phase.seconds)), Cell::quiet(share)]
    };
    let mut rows: Vec<_> = record.phases.iter().map(row).collect();
    if !rows.is_empty() {
        rows.push(vec![Cell::plain("in all"), Cell::plain(text::seconds(total)), Cell::quiet("")]);
    }
    Sheet { title: "Phases", header: &["phase", "took", "share"], numeric: &[1, 2], rows }
}

/// The faults, or the standing conditions, with their proof.
pub(super) fn faults_sheet(record: &Record, title: &'static str, faults: &[FaultResult]) -> Sheet {
    let origin = origin(record);
    let row = |fault: &FaultResult| {
        let healed = fault.healed_ms.map_or_else(|| "not healed".to_owned(), |healed| moments(&origin, healed));
        vec![
            Cell::plain(&fault.kind),
            Cell::plain(&fault.summary),
            Cell::plain(fault.victims.join(", ")),
            Cell::plain(moments(&origin, fault.began_ms)),
            Cell::quiet(healed),
            Cell::plain(&fault.proof),
        ]
    };
    Sheet {
        title,
        header: &["kind", "what", "victims", "in place", "healed", "proof that it bit"],
        numeric: &[],
        rows: faults.iter().map(row).collect(),
    }
}

/// The stretch in which load ran, on the run's clock: the stage before the fault ends with the fault.
pub(super) fn service_window(record: &Record) -> Option<Interval<f64>> {
    let (fault, load) = (first_fault(record)?, record.load.as_ref()?);
    let before: f64 = load.stages.iter().filter(|stage| stage.stage == "before").map(|stage| stage.seconds).sum();
    let all: f64 = load.stages.iter().map(|stage| stage.seconds).sum();
    let from = fault.lower - before * 1000.0;
    let window = Interval::new(from, from + all * 1000.0);
    (window.upper - window.lower).is_normal().then_some(window).filter(|window| window.lower < window.upper)
}

/// The outages that can be drawn: bounds in order, on the run's clock.
pub(super) fn drawable_outages(record: &Record, end_ms: f64) -> Vec<(Interval<f64>, Interval<f64>)> {
    let outages = record.rto.iter().flat_map(|rto| &rto.outages);
    let ends = |outage: &Outage| (outage.began_ms, outage.ended_ms.unwrap_or(Interval::exactly(end_ms)));
    let in_order =
        |(began, ended): &(Interval<f64>, Interval<f64>)| began.lower <= began.upper && ended.lower <= ended.upper;
    outages.map(ends).filter(in_order).collect()
}
