//! The report as GitHub-flavoured Markdown, for a job summary or a pull request: the verdict and the numbers in
//! sight, the long parts folded.

use std::fmt::Write as _;

use super::backups;
use super::view::{self, Sheet};
use super::words::{self, Tone};
use crate::record::Record;

/// How many lost writes are listed.
const MOST_LOST: usize = 50;

pub fn render(record: &Record) -> String {
    let mut out = String::new();
    head(&mut out, record);
    open(&mut out, &view::measures_sheet(record));
    bullets(&mut out, &view::measure_remarks(record));
    if record.levels.is_empty() {
        paragraph(&mut out, "### Six levels\n\nNo level was reached.");
    }
    open(&mut out, &view::checks_sheet(record));
    losses(&mut out, record);
    folded(&mut out, &view::procedure_sheet(record));
    folded(&mut out, &view::timeline_sheet(record));
    folded(&mut out, &view::milestones_sheet(record));
    folded(&mut out, &view::outages_sheet(record));
    folded(&mut out, &view::load_sheet(record));
    for sheet in backups::sheets(record) {
        folded(&mut out, &sheet);
    }
    bullets(&mut out, &backups::remark(record).into_iter().collect::<Vec<_>>());
    folded(&mut out, &view::faults_sheet(record, "Faults and their proof", &record.faults));
    folded(&mut out, &view::faults_sheet(record, "Conditions", &record.conditions));
    folded(&mut out, &view::phases_sheet(record));
    lines(&mut out, "Left behind", &view::clean_lines(&record.leftovers));
    lines(&mut out, "Notes", &view::clean_lines(&record.notes));
    identity(&mut out, record);
    out
}

fn head(out: &mut String, record: &Record) {
    let (verdict, _) = words::verdict(record.verdict);
    paragraph(out, &format!("## {verdict}: {}", escape(&view::title(record))));
    if let Some(mark) = words::mark(record) {
        paragraph(out, &format!("> [!WARNING]\n> **{mark}.** This run is of a seeded model, not of real containers."));
    }
    paragraph(out, words::meaning(record.verdict));
    bullets(out, &view::reasons(record));
}

fn losses(out: &mut String, record: &Record) {
    let Some(rpo) = record.rpo.as_ref() else { return };
    if !rpo.exercised {
        paragraph(
            out,
            "### What was lost\n\nNothing was acknowledged shortly before the fault: there was nothing to lose, and nothing is proved.",
        );
        return;
    }
    folded(out, &view::losses_sheet(rpo));
    let mut sheet = view::lost_writes_sheet(record, rpo, MOST_LOST);
    sheet.title = "The first lost writes";
    folded(out, &sheet);
    if let Some(more) = view::more_lost(rpo, MOST_LOST) {
        paragraph(out, &escape(&more));
    }
}

fn identity(out: &mut String, record: &Record) {
    let row = |(name, value): (&str, String)| format!("| {name} | {} |\n", escape(&value));
    let rows: String = view::identity(record).into_iter().map(row).collect();
    paragraph(out, &format!("<details><summary>This run</summary>\n\n| fact | value |\n|:--|:--|\n{rows}\n</details>"));
}

/// A block and the empty line that ends it.
fn paragraph(out: &mut String, block: &str) {
    out.push_str(block.trim_end());
    out.push_str("\n\n");
}

fn bullets(out: &mut String, lines: &[String]) {
    let list: String = lines.iter().map(|line| format!("- {}\n", item(line))).collect();
    if !list.is_empty() {
        paragraph(out, &list);
    }
}

fn lines(out: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        paragraph(out, &format!("### {title}"));
        bullets(out, lines);
    }
}

/// A sheet under a heading.
fn open(out: &mut String, sheet: &Sheet) {
    if !sheet.rows.is_empty() {
        paragraph(out, &format!("### {}\n\n{}", sheet.title, table(sheet)));
    }
}

/// A sheet that a click unfolds.
fn folded(out: &mut String, sheet: &Sheet) {
    if !sheet.rows.is_empty() {
        paragraph(out, &format!("<details><summary>{}</summary>\n\n{}\n</details>", sheet.title, table(sheet)));
    }
}

fn table(sheet: &Sheet) -> String {
    let mut out = format!("| {} |\n|", sheet.header.join(" | "));
    for index in 0..sheet.header.len() {
        out.push_str(if sheet.numeric.contains(&index) { "--:|" } else { ":--|" });
    }
    out.push('\n');
    for row in &sheet.rows {
        out.push('|');
        for cell in row {
            let strong = if cell.tone == Tone::Bad && !cell.text.is_empty() { "**" } else { "" };
            let _ = write!(out, " {strong}{}{strong} |", escape(&cell.text));
        }
        out.push('\n');
    }
    out
}

/// What comes between two characters that must not be read together, and shows nothing.
const BREAK: &str = "&#8203;";

/// Data as literal text: neither a table's pipes, nor markup, nor a link, nor a mention of somebody or of an issue. The text is
/// on one line already.
fn escape(data: &str) -> String {
    let mut out = String::with_capacity(data.len());
    for (at, c) in data.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' => out.extend(['\\', c]),
            _ => out.push(c),
        }
        if joins(&data[..at + c.len_utf8()]) {
            out.push_str(BREAK);
        }
    }
    out
}

/// Data as an item of a list, and never as a heading or a list of its own.
fn item(data: &str) -> String {
    let after_number = data.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = after_number.len() < data.len() && after_number.starts_with(['.', ')']);
    let start = if is_number || data.starts_with(['+', '-', '=', '#']) { BREAK } else { "" };
    format!("{start}{}", escape(data))
}

/// Whether a text ends with what would make a reference of what follows: to a person, an issue, or a page.
fn joins(text: &str) -> bool {
    let ends_with = |end: &str| {
        let start = text.len().checked_sub(end.len()).and_then(|start| text.get(start..));
        start.is_some_and(|last| last.eq_ignore_ascii_case(end))
    };
    ["@", "#", "://", "www.", "gh-", "mailto:", "xmpp:"].into_iter().any(ends_with)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;
    use crate::sample;

    #[test]
    fn data_is_literal_text() {
        assert_eq!(escape("a|b <i> & *x* [l](u) `c` \\"), "a\\|b &lt;i&gt; &amp; \\*x\\* \\[l\\](u) \\`c\\` \\\\");
    }

    #[test]
    fn data_mentions_nobody_and_leads_nowhere() {
        assert_eq!(escape("@ops, see #12 or GH-12"), "@&#8203;ops, see #&#8203;12 or GH-&#8203;12");
        assert_eq!(escape("https://a.b WWW.a.b a@b.c"), "https://&#8203;a.b WWW.&#8203;a.b a@&#8203;b.c");
        assert_eq!(item("# no heading"), "&#8203;#&#8203; no heading");
        assert_eq!([item("- no list"), item("1. none")], ["&#8203;- no list", "&#8203;1. none"]);
        assert_eq!([item("14 writes are lost"), item("1.5 s")], ["14 writes are lost", "&#8203;1.5 s"]);
    }

    proptest! {
        #[test]
        fn no_data_makes_markup(data in any::<String>(), bit in select(&["@a", "#1", "<b>", "http://x", "www.x", "[x](u)", "|"][..])) {
            let text = escape(&crate::safe::one_line(&format!("{data}{bit}{data}")));
            let is_bare = |at: usize| !text[..at].ends_with('\\');
            prop_assert!(!text.contains(['<', '>']));
            prop_assert!(text.match_indices(['[', ']', '|', '`', '*', '_']).all(|(at, _)| !is_bare(at)), "{text}");
            prop_assert!(text.match_indices(['@']).all(|(at, _)| text[at + 1..].starts_with(BREAK)), "{text}");
            prop_assert!(text.match_indices("://").all(|(at, _)| text[at + 3..].starts_with(BREAK)), "{text}");
            prop_assert!(text.match_indices("www.").all(|(at, _)| text[at + 4..].starts_with(BREAK)), "{text}");
            let is_number = |at: usize| text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
            prop_assert!(text.match_indices('#').all(|(at, _)| !is_number(at) || text[..at].ends_with('&')), "{text}");
        }
    }

    #[test]
    fn every_row_has_the_columns_of_its_header() {
        for record in sample::all().into_iter().chain([sample::hostile()]) {
            let text = render(&record);
            let mut columns = None;
            for line in text.lines() {
                let cells = line.replace("\\|", "").matches('|').count();
                let expected = *columns.get_or_insert(cells);
                if !line.starts_with('|') {
                    columns = None;
                } else {
                    assert_eq!(cells, expected, "{line}");
                }
                assert!(!line.contains("<script"), "{line}");
            }
        }
    }
}
