//! `blackstart list`: the scenarios of a folder, with what they cover.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{UNUSABLE, allow::Allow, count, print, print_json, say};
use crate::{
    files,
    scenario::{self, refusal::Severity},
};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder, searched recursively
    #[arg(default_value = "scenarios")]
    folder: PathBuf,
    #[command(flatten)]
    allow: Allow,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Lists the scenarios.
pub fn main(args: &Args) -> u8 {
    let mut files = Vec::new();
    if let Err(error) = find(&args.folder, &mut files) {
        say(&format!("{}: {error}; name a folder that holds scenarios", args.folder.display()));
        return UNUSABLE;
    }
    files.sort();
    let rows: Vec<Row> =
        files.iter().filter(|file| declares_scenario(file)).map(|file| Row::of(file, &args.allow.folders)).collect();
    if args.json {
        print_json(&rows);
        return 0;
    }
    let width = rows.iter().map(|row| row.file.len()).max().unwrap_or_default();
    let lines = rows.iter().map(|row| {
        let covers = if row.covers.is_empty() { String::new() } else { format!("  [{}]", row.covers.join(" ")) };
        format!("{:width$}  {}{covers}\n", row.file, row.title)
    });
    print(&lines.collect::<String>());
    0
}

#[derive(serde::Serialize)]
struct Row {
    file: String,
    title: String,
    covers: Vec<String>,
    sound: bool,
}

impl Row {
    fn of(file: &Path, folders: &[PathBuf]) -> Self {
        let name = file.display().to_string();
        match scenario::read_allowing(file, folders) {
            Ok(declared) => {
                Self { file: name, title: declared.scenario.title, covers: declared.scenario.covers, sound: true }
            }
            Err(refusals) => {
                let refused = refusals.0.iter().filter(|refusal| refusal.severity == Severity::Refused).count();
                let title = format!("refused for {}, see `blackstart check`", count(refused, "reason"));
                Self { file: name, title, covers: Vec::new(), sound: false }
            }
        }
    }
}

/// A system that lies beside its scenarios is none of them. What cannot be read is listed, so that it is noticed.
fn declares_scenario(file: &Path) -> bool {
    files::read_text(file, files::DECLARATION).map_or(true, |text| {
        !text.lines().any(|line| line.starts_with("system:")) || text.lines().any(|line| line.starts_with("scenario:"))
    })
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // A link to a folder above would lead here again.
        if entry.file_type()?.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    Ok(())
}
