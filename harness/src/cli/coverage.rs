//! `blackstart coverage`: which requirements the runs of a folder have shown on real containers.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use blackstart_reports::record::{Record, Verdict, World};

use super::{UNUSABLE, print, records, say};

/// Arguments of `coverage`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of runs
    #[arg(default_value = "runs")]
    folder: PathBuf,
}

/// Prints each requirement with the scenarios that passed, and those that only ran. Simulated runs count for nothing.
pub fn main(args: &Args) -> u8 {
    match records::read_all(&args.folder) {
        Ok(records) => {
            print(&table(&records));
            0
        }
        Err(error) => {
            say(&error.to_string());
            UNUSABLE
        }
    }
}

#[derive(Default)]
struct Row<'a> {
    passed: BTreeSet<&'a str>,
    ran: BTreeSet<&'a str>,
}

fn table(records: &[Record]) -> String {
    let mut rows: BTreeMap<(&str, u32), Row<'_>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.world == World::Docker) {
        for id in &record.scenario.covers {
            let row = rows.entry(in_order(id)).or_default();
            let scenario = record.scenario.id.as_str();
            if record.verdict == Verdict::Passed {
                row.passed.insert(scenario)
            } else {
                row.ran.insert(scenario)
            };
        }
    }
    if rows.is_empty() {
        return "no run on real containers covers anything yet\n".to_owned();
    }
    let line = |((family, number), row): (&(&str, u32), &Row<'_>)| {
        let listed = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
        let passed =
            if row.passed.is_empty() { "not shown".to_owned() } else { format!("shown by {}", listed(&row.passed)) };
        let only_ran: BTreeSet<&str> = row.ran.difference(&row.passed).copied().collect();
        let ran =
            if only_ran.is_empty() { String::new() } else { format!("; ran without passing: {}", listed(&only_ran)) };
        format!("{:8}{passed}{ran}\n", format!("{family}-{number}"))
    };
    rows.iter().map(line).collect()
}

/// Identifiers sort by family and then by number.
fn in_order(id: &str) -> (&str, u32) {
    id.split_once('-').map_or((id, 0), |(family, number)| (family, number.parse().unwrap_or_default()))
}
