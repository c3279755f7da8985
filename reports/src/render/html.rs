//! The report as one page that stands alone: to be kept beside the evidence, shown to an auditor, or printed.
//!
//! No script, no font and no picture from elsewhere. Light or dark as the reader prefers, always light on paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::view::{self, Sheet};
use super::words::{self, Tone};
use super::{backups, svg, text};
use crate::record::{Record, Rpo};

/// The page's style sheet.
const CSS: &str = include_str!("report.css");
/// How many lost writes are listed.
const MOST_LOST: usize = 200;

pub fn render(record: &Record) -> String {
    let (verdict, _) = words::verdict(record.verdict);
    let mark = words::mark(record);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { @if let Some(mark) = mark { (mark) ": " } (verdict) ": " (view::title(record)) }
                style { (PreEscaped(CSS)) }
            }
            body { main {
                @if let Some(mark) = mark { (banner(mark)) }
                (head(record))
                (numbers(record))
                (drawing(record))
                (ladder(record))
                (losses(record))
                (rest(record))
                (run(record))
                @if let Some(mark) = mark { (banner(mark)) }
            } }
        }
    };
    page.into_string() + "\n"
}

fn banner(mark: &str) -> Markup {
    html! { p.simulated role="note" { strong { (mark) } " This run is of a seeded model under a virtual clock, not of real containers." } }
}

fn head(record: &Record) -> Markup {
    let (verdict, tone) = words::verdict(record.verdict);
    html! {
        header {
            p.kind { "Disaster-recovery drill" }
            h1 { (view::title(record)) }
            div.verdict.(class(tone)) {
                p.word { (verdict) }
                div {
                    p.meaning { (words::meaning(record.verdict)) }
                    @if !view::reasons(record).is_empty() {
                        ul { @for reason in view::reasons(record) { li { (reason) } } }
                    }
                }
            }
            (key_facts(record))
        }
    }
}

/// What one looks for first, in one line: the rest stands at the end of the page.
fn key_facts(record: &Record) -> Markup {
    const KEYS: [&str; 5] = ["scenario", "started", "took", "seed", "world"];
    html! {
        dl.key { @for (name, value) in view::identity(record).into_iter().filter(|(name, _)| KEYS.contains(name)) {
            div { dt { (name) } dd { (value) } }
        } }
    }
}

fn numbers(record: &Record) -> Markup {
    let sheet = view::measures_sheet(record);
    html! {
        section {
            h2 { (sheet.title) }
            @if sheet.rows.is_empty() { p.quiet { "Nothing was measured: the drill did not come so far." } }
            (table(&sheet))
            (remarks(&view::measure_remarks(record)))
        }
    }
}

fn remarks(lines: &[String]) -> Markup {
    html! { @if !lines.is_empty() { ul.remarks { @for line in lines { li { (line) } } } } }
}

fn drawing(record: &Record) -> Markup {
    html! {
        @if let Some(svg) = svg::draw(record) {
            section.wide {
                h2 { "Timeline" }
                figure {
                    (svg)
                    figcaption {
                        "To scale; " (view::origin(record).meaning) "."
                        @if view::first_fault(record).is_some() { " Shaded ends are the bounds of the measurement." }
                    }
                }
            }
        }
    }
}

/// The six levels: one block each, its checks below it.
fn ladder(record: &Record) -> Markup {
    html! {
        section {
            h2 { "Six levels" }
            @if record.levels.is_empty() { p.quiet { "No level was reached." } }
            @for level in view::levels(record) {
                @let (word, tone) = words::status(level.status);
                div.level {
                    h3 { span.number { (level.level) } " " (text::clean(&level.name)) " " span.status.(class(tone)) { (word) } }
                    @if level.checks.is_empty() { p.quiet { "No check is declared." } }
                    @if !level.checks.is_empty() {
                        table.checks { tbody { @for check in &level.checks { (check_row(check)) } } }
                    }
                }
            }
        }
    }
}

fn check_row(check: &crate::record::CheckResult) -> Markup {
    let (word, tone) = words::status(check.status);
    html! {
        tr {
            td.id { (text::clean(&check.id)) }
            td.status.(class(tone)) { (word) }
            td {
                (text::clean(&check.detail))
                @if let Some(caveat) = &check.cannot_prove { p.caveat { "Cannot prove: " (text::clean(caveat)) } }
            }
            td.num.quiet { (view::check_took(check)) }
        }
    }
}

fn losses(record: &Record) -> Markup {
    html! { @if let Some(rpo) = &record.rpo {
        section {
            h2 { "What was lost" }
            @if rpo.exercised { (table(&view::losses_sheet(rpo))) (lost_writes(record, rpo)) }
            @else { p { "Nothing was acknowledged shortly before the fault: there was nothing to lose, and nothing is proved." } }
        }
    } }
}

fn lost_writes(record: &Record, rpo: &Rpo) -> Markup {
    let sheet = view::lost_writes_sheet(record, rpo, MOST_LOST);
    html! {
        @if !sheet.rows.is_empty() {
            h3 { (sheet.title) }
            (table(&sheet))
            (remarks(view::more_lost(rpo, MOST_LOST).as_slice()))
        }
    }
}

/// The tables in the order in which one asks for them.
fn rest(record: &Record) -> Markup {
    let sheets = [
        view::procedure_sheet(record),
        view::faults_sheet(record, "Faults and their proof", &record.faults),
        view::faults_sheet(record, "Conditions", &record.conditions),
        view::outages_sheet(record),
        view::load_sheet(record),
        view::timeline_sheet(record),
        view::milestones_sheet(record),
        view::phases_sheet(record),
    ];
    html! {
        @for sheet in sheets.iter().chain(&backups::sheets(record)).filter(|sheet| !sheet.rows.is_empty()) {
            section { h2 { (sheet.title) } (table(sheet)) }
        }
        (remarks(backups::remark(record).as_slice()))
        (lines("Left behind", &view::clean_lines(&record.leftovers)))
        (lines("Notes", &view::clean_lines(&record.notes)))
    }
}

fn lines(title: &str, lines: &[String]) -> Markup {
    html! { @if !lines.is_empty() { section { h2 { (title) } ul { @for line in lines { li { (line) } } } } } }
}

fn run(record: &Record) -> Markup {
    html! {
        section.run {
            h2 { "This run" }
            dl { @for (name, value) in view::identity(record) { div { dt { (name) } dd { (value) } } } }
        }
    }
}

fn table(sheet: &Sheet) -> Markup {
    let align = |index: usize| if sheet.numeric.contains(&index) { "num" } else { "" };
    html! {
        @if !sheet.rows.is_empty() {
            div.scroll { table {
                thead { tr { @for (index, name) in sheet.header.iter().enumerate() { th class=[some(align(index))] scope="col" { (name) } } } }
                tbody { @for row in &sheet.rows { tr { @for (index, cell) in row.iter().enumerate() {
                    td class=[some(&join(align(index), class(cell.tone)))] { (cell.text) }
                } } } }
            } }
        }
    }
}

fn join(a: &str, b: &str) -> String {
    format!("{a} {b}").trim().to_owned()
}

fn some(class: &str) -> Option<&str> {
    (!class.is_empty()).then_some(class)
}

const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Warn => "warn",
        Tone::Bad => "bad",
        Tone::Quiet => "quiet",
        Tone::Plain => "plain",
    }
}
