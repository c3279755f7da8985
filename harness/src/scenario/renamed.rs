//! Keys and words that were renamed. One that is still written is refused by name, with the word of today.

/// Where a renamed word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// It is the key of a mapping.
    Key,
    /// It is the key of a mapping, and stands one deeper today.
    Moved,
    /// It is the value of a key that takes one of several words.
    Word,
    /// It stands between `${` and `}`.
    Placeholder,
}

/// A word that was renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renamed {
    /// Where it stands.
    pub form: Form,
    /// As it was.
    pub was: &'static str,
    /// As it is.
    pub is: &'static str,
}

const fn renamed(form: Form, was: &'static str, is: &'static str) -> Renamed {
    Renamed { form, was, is }
}

/// All of them.
pub const RENAMED: [Renamed; 12] = [
    renamed(Form::Key, "backup_spoiled", "backup_corrupted"),
    renamed(Form::Key, "cut", "partition"),
    renamed(Form::Key, "judge_backups", "restore_test"),
    renamed(Form::Key, "spoil", "corrupt"),
    renamed(Form::Key, "zone_dark", "zone_outage"),
    renamed(Form::Moved, "command", "question"),
    renamed(Form::Moved, "http", "question"),
    renamed(Form::Moved, "sql", "question"),
    renamed(Form::Word, "cut-off", "partitioned"),
    renamed(Form::Word, "frozen", "paused"),
    renamed(Form::Word, "vault", "backup-repository"),
    renamed(Form::Placeholder, "vault", "repository"),
];

/// What took the place of a word, where it is known there.
pub(super) fn successor<'a>(form: Form, was: &str, mut known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let renamed = RENAMED.iter().find(|renamed| renamed.form == form && renamed.was == was)?;
    known.find(|name| *name == renamed.is)
}

/// What is wrong with a key that stands one deeper today, and the mend.
pub(super) fn moved(key: &str, within: &str) -> (String, String) {
    let mend = format!("write `{within}: {{{key}: {{...}}, expect: {{...}}}}`");
    (format!("`{key}` stands within `{within}`, with what its answer must be beside it"), mend)
}

/// What is wrong with a renamed word, and the mend.
pub(super) fn refusal(was: &str, is: &str) -> (String, String) {
    (format!("`{was}` was renamed to `{is}`"), format!("write `{is}`"))
}
