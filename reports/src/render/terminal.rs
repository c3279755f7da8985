//! The report for a person at a terminal: the verdict first, then what it rests on.
//!
//! Tables have no rules and no borders; columns are aligned, and what is long wraps in its own column. Colour is
//! decided by the caller, and only underlines what a word says.

use comfy_table::{
    Attribute, Cell as TableCell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width,
};

use super::view::{self, Cell, Sheet};
use super::words::{self, Tone};
use super::{Style, backups, bar, text};
use crate::record::{CheckResult, LevelResult, Record, Rpo, Status};

/// How far everything below a heading is set in.
const INDENT: usize = 2;
/// What stands between two columns.
const GAP: u16 = 2;
/// How many lost writes are shown where not everything was asked for.
const FEW_LOST: usize = 5;

pub fn render(record: &Record, style: &Style) -> String {
    let mut page = Page::new(*style);
    head(&mut page, record);
    page.sheet(&view::measures_sheet(record));
    page.lines(&view::measure_remarks(record));
    ladder(&mut page, record);
    timeline(&mut page, record);
    page.sheet(&view::outages_sheet(record));
    page.sheet(&view::procedure_sheet(record));
    losses(&mut page, record);
    page.sheet(&view::load_sheet(record));
    for sheet in backups::sheets(record) {
        page.sheet(&sheet);
    }
    page.lines(&backups::remark(record).into_iter().collect::<Vec<_>>());
    faults(&mut page, "Faults", view::faults_sheet(record, "Faults", &record.faults));
    faults(&mut page, "Conditions", view::faults_sheet(record, "Conditions", &record.conditions));
    page.sheet(&view::phases_sheet(record));
    page.bullets("Left behind", &view::clean_lines(&record.leftovers), Tone::Bad);
    page.bullets("Notes", &view::clean_lines(&record.notes), Tone::Plain);
    foot(&mut page, record);
    page.text
}

/// The verdict on the first line, what ran on the second, and why below.
fn head(page: &mut Page, record: &Record) {
    let (verdict, tone) = words::verdict(record.verdict);
    let mark = words::mark(record).map(|mark| format!(" [{mark}]")).unwrap_or_default();
    let room = page.width.saturating_sub(verdict.chars().count() + mark.chars().count() + 2);
    let title = text::shorten(&view::title(record), room);
    let line = format!(
        "{}{}  {}",
        page.palette.strong(tone, verdict),
        page.palette.strong(Tone::Warn, &mark),
        page.palette.strong(Tone::Plain, &title)
    );
    page.push(line.trim_end());
    let took = text::seconds(view::total_seconds(record));
    let run = format!(
        "{} · seed {} · {} · took {took}",
        text::clean(&record.scenario.id),
        record.seed,
        words::world(record.world)
    );
    page.push(&page.palette.paint(Tone::Quiet, &text::shorten(&run, page.width)));
    page.push(
        &page.palette.paint(Tone::Quiet, &text::shorten(&format!("run {}", text::clean(&record.run_id)), page.width)),
    );
    let mut why = Table::new();
    for reason in view::reasons(record) {
        why.add_row([TableCell::new("-"), page.palette.cell(&reason, Tone::Plain)]);
    }
    page.blank();
    page.table(why, 2);
}

/// The most letters of a cell of a table.
const MOST_LETTERS: usize = 2_000;

/// The six levels: what passed in one line each, everything else in full.
fn ladder(page: &mut Page, record: &Record) {
    page.heading("Six levels");
    if record.levels.is_empty() {
        page.line("no level was reached");
        return;
    }
    let room = room_for_details(page, record);
    let mut table = Table::new();
    for level in view::levels(record) {
        level_row(&mut table, page.palette, level);
        for check in &level.checks {
            check_row(&mut table, page, check, room);
        }
    }
    page.table(table, 3);
}

/// How many columns are left beside the names and the outcomes of the checks.
fn room_for_details(page: &Page, record: &Record) -> usize {
    let checks = || record.levels.iter().flat_map(|level| &level.checks);
    let names = checks().map(|check| check.id.chars().count() + INDENT);
    let levels = record.levels.iter().map(|level| level.name.chars().count() + 2);
    let words = checks().map(|check| check.status).chain(record.levels.iter().map(|level| level.status));
    let name = names.chain(levels).max().unwrap_or(0).min(page.width / 5 * 2);
    let word = words.map(|status| words::status(status).0.len()).max().unwrap_or(0);
    page.width.saturating_sub(INDENT + name + word + 2 * usize::from(GAP))
}

fn level_row(table: &mut Table, palette: Palette, level: &LevelResult) {
    let (word, tone) = words::status(level.status);
    let passed = level.checks.iter().filter(|check| check.status == Status::Passed).count();
    let held = match level.checks.len() {
        0 => "no check is declared".to_owned(),
        all => format!("{passed} of {} passed", text::plural(all as u64, "check", "checks")),
    };
    let name = TableCell::new(format!("{} {}", level.level, text::clean(&level.name))).add_attribute(Attribute::Bold);
    let word = palette.cell(word, tone).add_attribute(Attribute::Bold);
    table.add_row([name, word, palette.cell(&held, Tone::Quiet)]);
}

/// A passed check takes one line, with what it looked at as far as there is room; any other says everything.
fn check_row(table: &mut Table, page: &Page, check: &CheckResult, room: usize) {
    let (word, tone) = words::status(check.status);
    let briefly = check.status == Status::Passed && !page.style.verbose;
    let detail =
        if briefly { text::shorten(&text::clean(&check.detail), room) } else { full_detail(check, page.style) };
    let id = format!("{:INDENT$}{}", "", text::clean(&check.id));
    let weight = if briefly { Tone::Quiet } else { Tone::Plain };
    let palette = page.palette;
    table.add_row([palette.cell(&id, Tone::Plain), palette.cell(word, tone), palette.cell(&detail, weight)]);
}

fn full_detail(check: &CheckResult, style: Style) -> String {
    let mut detail = text::clean(&check.detail);
    if style.verbose {
        let took = view::check_took(check);
        if !took.is_empty() {
            detail.push_str(&format!(", took {took}"));
        }
        if let Some(caveat) = &check.cannot_prove {
            detail.push_str(&format!("; cannot prove: {}", text::clean(caveat)));
        }
    }
    detail
}

/// The bar of the service, and the entries below it; phases only where everything was asked for.
fn timeline(page: &mut Page, record: &Record) {
    let mut sheet = view::timeline_sheet(record);
    let drawn = bar::draw(record, page.width.saturating_sub(INDENT));
    if sheet.rows.is_empty() && drawn.is_none() {
        return;
    }
    page.heading("Timeline");
    for line in drawn.iter().flat_map(|drawn| drawn.lines()) {
        page.line(line);
    }
    if drawn.is_some() {
        page.blank();
    }
    let broken = view::first_fault(record).is_some();
    if broken && !page.style.verbose {
        sheet.rows.retain(|row| row.get(1).is_none_or(|kind| kind.text != "phase"));
    }
    page.rows(&sheet, false);
    page.lines(&[view::origin(record).meaning.to_owned()]);
}

/// What was lost, by kind, and the first lost writes. Nothing lost and nothing odd is one line.
fn losses(page: &mut Page, record: &Record) {
    let Some(rpo) = record.rpo.as_ref() else { return };
    page.heading("What was lost");
    if !rpo.exercised {
        page.line(
            "Nothing was acknowledged shortly before the fault: there was nothing to lose, and nothing is proved.",
        );
        return;
    }
    let mut sheet = view::losses_sheet(rpo);
    if !page.style.verbose {
        sheet.rows.retain(|row| {
            row.first().is_some_and(|kind| kind.text == "lost") || row.get(1).is_some_and(|n| n.text != "0")
        });
    }
    page.rows(&sheet, false);
    lost_writes(page, record, rpo);
}

fn lost_writes(page: &mut Page, record: &Record, rpo: &Rpo) {
    let most = if page.style.verbose { usize::MAX } else { FEW_LOST };
    let sheet = view::lost_writes_sheet(record, rpo, most);
    if !sheet.rows.is_empty() {
        page.blank();
        page.rows(&sheet, true);
        page.lines(view::more_lost(rpo, most).as_slice());
    }
}

/// Faults have too much to say for a row each: a small block instead.
fn faults(page: &mut Page, title: &str, sheet: Sheet) {
    if sheet.rows.is_empty() {
        return;
    }
    page.heading(title);
    let mut table = Table::new();
    for row in sheet.rows {
        for (index, (name, cell)) in sheet.header.iter().zip(row).enumerate() {
            let tone = if index == 0 { Tone::Plain } else { cell.tone };
            table.add_row([page.palette.cell(name, Tone::Quiet), page.palette.cell(&cell.text, tone)]);
        }
    }
    page.table(table, 2);
}

/// A simulated report ends as it began, for whoever sees only its end.
fn foot(page: &mut Page, record: &Record) {
    if let Some(mark) = words::mark(record) {
        page.blank();
        page.push(&page.palette.strong(Tone::Warn, mark));
    }
}

/// Colour, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    on: bool,
}

impl Palette {
    const fn code(tone: Tone) -> &'static str {
        match tone {
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Quiet => "2",
            Tone::Plain => "0",
        }
    }

    fn paint(self, tone: Tone, words: &str) -> String {
        if self.on { format!("\u{1b}[{}m{words}\u{1b}[0m", Self::code(tone)) } else { words.to_owned() }
    }

    fn strong(self, tone: Tone, words: &str) -> String {
        if self.on { format!("\u{1b}[{};1m{words}\u{1b}[0m", Self::code(tone)) } else { words.to_owned() }
    }

    pub(super) fn cell(self, words: &str, tone: Tone) -> TableCell {
        // To lay out a word takes time by the square of its length.
        let cell = TableCell::new(text::shorten(words, MOST_LETTERS));
        match tone {
            Tone::Good => cell.fg(Color::DarkGreen),
            Tone::Warn => cell.fg(Color::DarkYellow),
            Tone::Bad => cell.fg(Color::DarkRed),
            Tone::Quiet => cell.add_attribute(Attribute::Dim),
            Tone::Plain => cell,
        }
    }
}

/// A page of text under way.
pub(super) struct Page {
    pub(super) text: String,
    style: Style,
    width: usize,
    palette: Palette,
}

impl Page {
    pub(super) fn new(style: Style) -> Self {
        Self { text: String::new(), style, width: style.width.clamp(60, 400), palette: Palette { on: style.color } }
    }

    pub(super) fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    pub(super) fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// The verdict and what it is about.
    pub(super) fn first_line(&mut self, verdict: &str, tone: Tone, title: &str) {
        let room = self.width.saturating_sub(verdict.chars().count() + 2);
        let title = text::shorten(title, room);
        self.push(&format!("{}  {}", self.palette.strong(tone, verdict), self.palette.strong(Tone::Plain, &title)));
    }

    /// A line of little weight.
    pub(super) fn quiet(&mut self, line: &str) {
        self.push(&self.palette.paint(Tone::Quiet, &text::shorten(line, self.width)));
    }

    /// Sentences with a dash before each, under no heading.
    pub(super) fn dashes(&mut self, lines: &[String], tone: Tone) {
        let mut table = Table::new();
        for line in lines {
            table.add_row([TableCell::new("-"), self.palette.cell(line, tone)]);
        }
        self.table(table, 2);
    }

    fn line(&mut self, line: &str) {
        self.push(format!("{:INDENT$}{line}", "").trim_end());
    }

    pub(super) fn heading(&mut self, title: &str) {
        self.blank();
        self.push(&self.palette.strong(Tone::Plain, title));
    }

    /// A sheet under its title; nothing where it has no rows.
    pub(super) fn sheet(&mut self, sheet: &Sheet) {
        if !sheet.rows.is_empty() {
            self.heading(sheet.title);
            self.rows(sheet, true);
        }
    }

    fn rows(&mut self, sheet: &Sheet, header: bool) {
        let mut table = Table::new();
        if header {
            table.add_row(sheet.header.iter().map(|name| self.palette.cell(name, Tone::Quiet)));
        }
        for row in &sheet.rows {
            table.add_row(row.iter().map(|Cell { text, tone }| self.palette.cell(text, *tone)));
        }
        for &index in sheet.numeric {
            table.column_mut(index).into_iter().for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        }
        self.table(table, sheet.header.len());
    }

    /// A table under its title, without names of columns.
    pub(super) fn grid(&mut self, title: &str, rows: &[Vec<Cell>]) {
        self.heading(title);
        let mut table = Table::new();
        for row in rows {
            table.add_row(row.iter().map(|Cell { text, tone }| self.palette.cell(text, *tone)));
        }
        self.table(table, rows.iter().map(Vec::len).max().unwrap_or_default());
    }

    /// Sentences, each wrapped, in a quiet tone.
    pub(super) fn lines(&mut self, lines: &[String]) {
        let mut table = Table::new();
        for line in lines {
            table.add_row([self.palette.cell(line, Tone::Quiet)]);
        }
        if !lines.is_empty() {
            self.table(table, 1);
        }
    }

    pub(super) fn bullets(&mut self, title: &str, lines: &[String], tone: Tone) {
        if lines.is_empty() {
            return;
        }
        self.heading(title);
        self.dashes(lines, tone);
    }

    /// Lays a table out within the page. No column but the last takes more than two fifths of the width.
    fn table(&mut self, mut table: Table, columns: usize) {
        table.load_style(comfy_table::presets::NOTHING);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        let room = u16::try_from(self.width.saturating_sub(INDENT)).unwrap_or(u16::MAX);
        table.set_width(room);
        if self.palette.on {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        for (index, column) in table.column_iter_mut().enumerate() {
            let last = index + 1 >= columns;
            column.set_padding((0, if last { 0 } else { GAP }));
            if !last {
                column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(room / 5 * 2)));
            }
        }
        for line in table.to_string().lines() {
            self.line(line);
        }
    }
}
