//! A refusal: what is wrong with a declaration, where, and the mend.

use std::{fmt, path::PathBuf};

/// One thing wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub file: PathBuf,
    /// The path of the key within it, such as `faults[0].zone_dark.zone`.
    pub key: String,
    /// Line and column, both from 1, where they are known.
    pub position: Option<(usize, usize)>,
    /// What is wrong.
    pub problem: String,
    /// The mend.
    pub mend: String,
}

/// Everything that is wrong with a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for refusal in &self.0 {
            writeln!(f, "{}: {}: {}", refusal.file.display(), refusal.key, refusal.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusals {}
