//! A self-test for a person at a terminal: what it amounts to, the matrix of defects and checks, and what each rests on.

use super::terminal::Page;
use super::view::{Cell, Sheet};
use super::words::Tone;
use super::{Style, text};
use crate::selftest::{DefectResult, RPO, Selftest};

/// What the signs of the matrix mean.
const SIGNS: &str = "● must find it, and did  ○ found it too  ✗ must find it, and did not  · found nothing";

pub fn render(record: &Selftest, style: &Style) -> String {
    let mut page = Page::new(*style);
    head(&mut page, record);
    if !record.defects.is_empty() {
        page.grid("Defects and checks, by level", &matrix(record));
        page.lines(&[SIGNS.to_owned()]);
        page.blank();
        page.lines(&legend(record));
    }
    page.sheet(&catchers(record));
    page.sheet(&proofs(record));
    page.sheet(&unable(record));
    page.sheet(&alarms(record));
    if let Some(names) = never_failed(record) {
        page.heading("Checks that nobody has seen failing");
        page.lines(&[names]);
    }
    page.bullets("Left behind", &clean(&record.leftovers), Tone::Bad);
    page.text
}

/// The verdict on the first line, what ran on the second, and why below.
fn head(page: &mut Page, record: &Selftest) {
    let (word, tone) = match record.exit_status() {
        3 => ("COULD NOT RUN", Tone::Warn),
        1 => ("FAILED", Tone::Bad),
        _ => ("PASSED", Tone::Good),
    };
    page.first_line(word, tone, &format!("Every check of {} must be seen failing", text::clean(&record.system)));
    let defects = text::plural(record.defects.len() as u64, "defect", "defects");
    let clean = text::plural(record.clean_runs, "clean run", "clean runs");
    page.quiet(&format!(
        "self-test · {defects} · {clean} · docker (real containers) · took {}",
        text::seconds(record.seconds)
    ));
    page.quiet(&format!("run {}", text::clean(&record.run_id)));
    page.blank();
    page.dashes(&reasons(record), Tone::Plain);
}

fn reasons(record: &Selftest) -> Vec<String> {
    let mut reasons = clean(&record.stopped);
    reasons.extend(record.missed().map(|defect| {
        let silent = overlooked(defect);
        match silent.is_empty() {
            true => format!("{} was found by nothing", text::clean(&defect.kind)),
            false => format!("{} was not found by {}", text::clean(&defect.kind), silent.join(", ")),
        }
    }));
    if record.false_alarms > 0 {
        let alarms = text::plural(record.false_alarms, "alarm", "alarms");
        reasons.push(format!("{alarms} where nothing was broken"));
    }
    if reasons.is_empty() {
        reasons.push(
            "every defect was found by every check that must find it, and the healthy system raised no alarm"
                .to_owned(),
        );
        let unable = record.unable().count() as u64;
        if unable > 0 {
            let defects = text::plural(unable, "defect passes", "defects pass");
            reasons.push(format!("{defects} all six levels, as declared: see below"));
        }
    }
    reasons
}

/// The checks that must find a defect, and did not.
fn overlooked(defect: &DefectResult) -> Vec<String> {
    defect
        .must_be_caught_by
        .iter()
        .filter(|check| !defect.caught_by.contains(check))
        .map(|check| text::clean(check))
        .collect()
}

fn matrix(record: &Selftest) -> Vec<Vec<Cell>> {
    let row = |defect: &DefectResult| {
        let mut row = vec![Cell::plain(&defect.kind)];
        row.extend(columns(record).into_iter().map(|(_, checks)| signs(defect, &checks)));
        row.push(outcome(defect));
        row
    };
    let numbers =
        std::iter::once(Cell::plain("")).chain(columns(record).into_iter().map(|(name, _)| Cell::plain(name)));
    let letters = std::iter::once(Cell::plain("")).chain(
        columns(record)
            .into_iter()
            .map(|(_, checks)| Cell::plain(checks.iter().map(|check| letter(record, check)).collect::<String>())),
    );
    let blank = [Cell::plain("")];
    let heads = [numbers.chain(blank.clone()).collect(), letters.chain(blank).collect()];
    heads.into_iter().chain(record.defects.iter().map(row)).collect()
}

/// The levels that have checks, each with the identifiers of its checks; the recovery point comes last.
fn columns(record: &Selftest) -> Vec<(String, Vec<&str>)> {
    let mut columns: Vec<(String, Vec<&str>)> = Vec::new();
    for check in &record.checks {
        let name = check.level.map_or_else(|| RPO.to_owned(), |level| level.to_string());
        match columns.last_mut() {
            Some((last, checks)) if *last == name => checks.push(&check.id),
            _ => columns.push((name, vec![&check.id])),
        }
    }
    columns
}

/// The letter that stands for a check: a to z, then A to Z.
fn letter(record: &Selftest, check: &str) -> char {
    let index = record.checks.iter().position(|known| known.id == check).unwrap_or_default();
    ('a'..='z').chain('A'..='Z').nth(index).unwrap_or('?')
}

fn signs(defect: &DefectResult, checks: &[&str]) -> Cell {
    let has = |list: &[String], check: &str| list.iter().any(|id| id == check);
    let sign = |check: &&str| match (has(&defect.must_be_caught_by, check), has(&defect.caught_by, check)) {
        (true, true) => '●',
        (false, true) => '○',
        (true, false) => '✗',
        (false, false) => '·',
    };
    let text: String = checks.iter().map(sign).collect();
    let tone = if text.contains('✗') { Tone::Bad } else { Tone::Plain };
    Cell { text, tone }
}

fn outcome(defect: &DefectResult) -> Cell {
    let (text, tone) = match (defect.missed, defect.caught_by.is_empty()) {
        (true, _) => ("MISSED", Tone::Bad),
        (false, true) => ("unable", Tone::Warn),
        (false, false) => ("found", Tone::Good),
    };
    Cell { text: text.to_owned(), tone }
}

/// Which letter stands for which check, a line a level.
fn legend(record: &Selftest) -> Vec<String> {
    let named = |check: &&str| format!("{}={}", letter(record, check), text::clean(check));
    columns(record)
        .iter()
        .map(|(name, checks)| match name.as_str() {
            RPO => {
                format!("rpo  {}, acknowledged writes that are missing", checks.iter().map(named).collect::<String>())
            }
            level => format!("{level}    {}", checks.iter().map(named).collect::<Vec<_>>().join("  ")),
        })
        .collect()
}

fn catchers(record: &Selftest) -> Sheet {
    let row = |defect: &DefectResult| {
        let is_other = |check: &&String| !defect.must_be_caught_by.contains(check);
        let others: Vec<String> = defect.caught_by.iter().filter(is_other).map(|id| text::clean(id)).collect();
        let (missing, must) = (overlooked(defect), clean(&defect.must_be_caught_by));
        let must: Vec<String> =
            must.into_iter().map(|id| if missing.contains(&id) { format!("{id} (did not)") } else { id }).collect();
        let or_none = |list: Vec<String>| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
        let tone = if defect.missed { Tone::Bad } else { Tone::Plain };
        vec![Cell::plain(&defect.kind), Cell { text: or_none(must), tone }, Cell::plain(or_none(few(others)))]
    };
    Sheet {
        title: "Found by whom",
        header: &["defect", "must be caught by", "and was caught by"],
        numeric: &[],
        rows: record.defects.iter().map(row).collect(),
    }
}

/// The first of many names; the matrix has them all.
fn few(mut names: Vec<String>) -> Vec<String> {
    const FEW: usize = 4;
    let more = names.len().saturating_sub(FEW);
    if more > 1 {
        names.truncate(FEW);
        names.push(format!("and {more} more"));
    }
    names
}

fn proofs(record: &Selftest) -> Sheet {
    let row = |defect: &DefectResult| {
        vec![Cell::plain(&defect.kind), Cell::plain(&defect.family), Cell::plain(&defect.proof)]
    };
    Sheet {
        title: "How each was seen to be there",
        header: &["defect", "family", "proof"],
        numeric: &[],
        rows: record.defects.iter().map(row).collect(),
    }
}

fn unable(record: &Selftest) -> Sheet {
    let row = |(defect, why): (&DefectResult, &str)| {
        vec![Cell::plain(&defect.kind), Cell::plain(&defect.about), Cell::plain(why)]
    };
    Sheet {
        title: "Unable: passes all six levels, as declared",
        header: &["defect", "what it is", "why no check can find it"],
        numeric: &[],
        rows: record.unable().map(row).collect(),
    }
}

fn alarms(record: &Selftest) -> Sheet {
    let row = |alarm: &crate::selftest::Alarm| {
        vec![Cell::plain(alarm.clean_run.to_string()), Cell::plain(&alarm.check), Cell::plain(&alarm.detail)]
    };
    Sheet {
        title: "False alarms",
        header: &["clean run", "check", "what it found"],
        numeric: &[0],
        rows: record.alarms.iter().map(row).collect(),
    }
}

/// The names in a row; nothing where no defect was put in at all.
fn never_failed(record: &Selftest) -> Option<String> {
    let is_told = !record.defects.is_empty() && !record.never_failed.is_empty();
    is_told.then(|| clean(&record.never_failed).join(", "))
}

fn clean(lines: &[String]) -> Vec<String> {
    lines.iter().map(|line| text::clean(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::sample;

    fn plain(width: usize) -> Style {
        Style { color: false, width, verbose: false }
    }

    #[test]
    fn what_a_person_reads() {
        insta::assert_snapshot!("selftest_passed", render(&sample::passed(), &plain(100)));
        insta::assert_snapshot!("selftest_missed", render(&sample::missed(), &plain(100)));
    }

    #[test]
    fn it_keeps_to_its_width() {
        for width in [60, 80, 133] {
            for line in render(&sample::missed(), &plain(width)).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn what_is_not_run_is_not_evaluated() {
        let mut record = sample::passed();
        record.defects.clear();
        record.note_never_failed();
        let text = render(&record, &plain(100));
        assert!(!text.contains("nobody has seen failing") && !text.contains("by level"), "{text}");
    }
}
