//! `--allow`: folders whose files a declaration may name, beside those of its own repository.

use std::path::PathBuf;

/// The folders that are allowed.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Allow {
    /// Another folder whose files the declaration may name; can be repeated
    #[arg(long = "allow", value_name = "DIR")]
    pub folders: Vec<PathBuf>,
}
