//! A refusal: what is wrong with a declaration, where, and the mend.
//!
//! Three forms of one fact: a report that shows the line ([`Refusal::render`]), one line for logs and editors (its
//! `Display`), and a JSON object for programs (its `Serialize`).

use std::{fmt, ops::Range, path::PathBuf, sync::Arc};

use blackstart_reports::safe;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity as Colour, SourceCode,
    SourceSpan,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Whether something stops a drill, or only ought to be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The declaration cannot be used.
    #[default]
    Refused,
    /// The declaration can be used.
    Warning,
}

/// How a report is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Colours and line-drawing characters, for a terminal.
    Colour,
    /// Line-drawing characters only, for a terminal whose user wants no colours.
    Unicode,
    /// Neither: for files, pipes and CI.
    Plain,
}

/// One thing wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Refusal {
    /// Whether it stops the drill.
    pub severity: Severity,
    /// The file.
    pub file: PathBuf,
    /// The path of the key within it, such as `faults[0].zone_outage.zone`; empty for the file as a whole.
    pub key: String,
    /// Line and column, both from 1, where they are known.
    pub position: Option<(usize, usize)>,
    /// The bytes of the file that are marked, where they are known.
    pub span: Option<Range<usize>>,
    /// The text of the file, for showing the line; not part of the serialised form.
    pub text: Option<Arc<str>>,
    /// What is wrong.
    pub problem: String,
    /// The mend.
    pub mend: String,
}

impl Refusal {
    /// A refusal of a file as a whole: one that cannot be read, say.
    pub fn of_file(file: impl Into<PathBuf>, problem: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { file: file.into(), problem: problem.into(), mend: mend.into(), ..Self::default() }
    }

    /// A report that shows the line.
    pub fn render(&self, look: Look) -> String {
        let theme = match look {
            Look::Colour => GraphicalTheme::unicode(),
            Look::Unicode => GraphicalTheme::unicode_nocolor(),
            Look::Plain => GraphicalTheme::none(),
        };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(120);
        let mut out = String::new();
        match handler.render_report(&mut out, &Report::of(&self.visible())) {
            Ok(()) => out,
            // The span no longer fits the text; the one-line form needs neither.
            Err(fmt::Error) => format!("{}\n", safe::page(&self.to_string())),
        }
    }

    /// The same, with nothing in it that could steer the terminal on which it is shown. The marked bytes stay where they are.
    fn visible(&self) -> Self {
        let text = |text: &String| safe::same_length(text);
        Self {
            file: safe::same_length(&self.file.to_string_lossy()).into(),
            key: text(&self.key),
            text: self.text.as_deref().map(|all| safe::same_length(all).into()),
            problem: text(&self.problem),
            mend: text(&self.mend),
            ..self.clone()
        }
    }
}

impl fmt::Display for Refusal {
    /// One line: `file:line:col: key: problem; mend`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        if self.severity == Severity::Warning {
            f.write_str(": warning")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}; {}", self.problem, self.mend)
    }
}

impl Serialize for Refusal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Refusal", 7)?;
        object.serialize_field("severity", &self.severity)?;
        object.serialize_field("file", &self.file.display().to_string())?;
        object.serialize_field("key", &self.key)?;
        object.serialize_field("line", &self.position.map(|(line, _)| line))?;
        object.serialize_field("column", &self.position.map(|(_, column)| column))?;
        object.serialize_field("problem", &self.problem)?;
        object.serialize_field("mend", &self.mend)?;
        object.end()
    }
}

/// Everything that is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusals(pub Vec<Refusal>);

impl Refusals {
    /// The reports of all of them, one below the other.
    pub fn render(&self, look: Look) -> String {
        self.0.iter().map(|refusal| refusal.render(look)).collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|refusal| writeln!(f, "{refusal}"))
    }
}

impl std::error::Error for Refusals {}

/// The most bytes of a line that is shown. No terminal shows a longer one, and what draws them cannot count further than
/// 65,535 columns.
const MOST_SHOWN: usize = 1000;

/// Whether the line of a byte can be shown, with those just before and after it.
fn can_be_shown(text: &str, byte: usize) -> bool {
    let before = text.get(..byte).unwrap_or_default().rsplit('\n').take(2);
    let after = text.get(byte..).unwrap_or_default().split('\n').take(2);
    before.chain(after).all(|part| part.len() <= MOST_SHOWN / 2)
}

/// A refusal as miette wants it.
#[derive(Debug)]
struct Report<'a> {
    refusal: &'a Refusal,
    source: Option<NamedSource<String>>,
}

impl<'a> Report<'a> {
    fn of(refusal: &'a Refusal) -> Self {
        let source = refusal
            .text
            .as_ref()
            .filter(|text| refusal.span.as_ref().is_some_and(|span| can_be_shown(text, span.start)))
            .map(|text| NamedSource::new(refusal.file.display().to_string(), text.to_string()));
        Self { refusal, source }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source {
            Some(_) => f.write_str(&self.refusal.problem),
            None => {
                write!(f, "{}", self.refusal.file.display())?;
                if let Some((line, column)) = self.refusal.position {
                    write!(f, ":{line}:{column}: {}", self.refusal.key)?;
                }
                write!(f, ": {}", self.refusal.problem)
            }
        }
    }
}

impl std::error::Error for Report<'_> {}

impl Diagnostic for Report<'_> {
    fn severity(&self) -> Option<Colour> {
        Some(match self.refusal.severity {
            Severity::Refused => Colour::Error,
            Severity::Warning => Colour::Warning,
        })
    }

    fn help(&self) -> Option<Box<dyn fmt::Display + '_>> {
        Some(Box::new(&self.refusal.mend))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = SourceSpan::from(self.refusal.span.clone()?);
        let label = if self.refusal.key.is_empty() { "here" } else { &self.refusal.key };
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some(label.to_owned()), span))))
    }
}
