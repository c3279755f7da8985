//! What each fuzz target does with the bytes that it is given: they are laid where a file of their kind would lie, and read
//! as the program reads it. Whatever is refused is refused; a panic, a hang or a gigabyte of memory is a find.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use blackstart::{
    plan,
    scenario::{self, Declared, Refusals, refusal::Look},
    topology::ledger,
};
use blackstart_evidence::{audit::audit, cut_off, folder};
use blackstart_reports::render::{Format, Style, diff, json, render, repeat};

const SCENARIO: &str = include_str!("../corpus/scenario/zone-outage.yaml");
const SYSTEM: &str = include_str!("../corpus/system/shop.yaml");
/// The evidence of a small simulated run, by the names of its files.
const EVIDENCE: [(&str, &str); 6] = [
    ("result.json", include_str!("../corpus/record/result.json")),
    ("history.jsonl", include_str!("../corpus/history/history.jsonl")),
    ("events.jsonl", include_str!("../corpus/journal/events.jsonl")),
    ("SHA256SUMS", include_str!("../corpus/manifest/SHA256SUMS")),
    ("observations.json", include_str!("../evidence/observations.json")),
    ("scenario.yaml", include_str!("../evidence/scenario.yaml")),
];

pub fn scenario(bytes: &[u8]) {
    let folder = declarations();
    write(&folder.join("zone-outage.yaml"), bytes);
    show(scenario::read(&folder.join("zone-outage.yaml")));
}

pub fn system(bytes: &[u8]) {
    let folder = declarations();
    write(&folder.join("shop.yaml"), bytes);
    show(scenario::read(&folder.join("zone-outage.yaml")));
}

/// The record of a run.
pub fn record(bytes: &[u8]) {
    static SOUND: OnceLock<blackstart_reports::record::Record> = OnceLock::new();
    let Ok(record) = json::read(&String::from_utf8_lossy(bytes)) else { return };
    for format in [Format::Terminal, Format::Markdown, Format::Json, Format::Junit, Format::Html] {
        render(&record, format, &Style { verbose: true, ..Style::default() });
    }
    let sound = SOUND.get_or_init(|| json::read(EVIDENCE[0].1).expect("the corpus is sound")).clone();
    diff::render(&sound, &record, &Style::default());
    repeat::render(&repeat::repeat(&[sound, record]), &Style::default());
}

/// The history of a run.
pub fn history(bytes: &[u8]) {
    evidence("history.jsonl", bytes);
}

/// The sums of a run's evidence.
pub fn manifest(bytes: &[u8]) {
    evidence("SHA256SUMS", bytes);
}

/// The events of a run.
pub fn journal(bytes: &[u8]) {
    let folder = run();
    write(&folder.join("events.jsonl"), bytes);
    let _ = folder::journal(folder);
    let _ = cut_off::record(folder);
}

/// The ledger of a run.
pub fn ledger(bytes: &[u8]) {
    let folder = ground().join("ledgers");
    fs::create_dir_all(&folder).expect("a folder");
    write(&folder.join("run.jsonl"), bytes);
    let _ = ledger::find(&folder);
}

fn evidence(name: &str, bytes: &[u8]) {
    write(&run().join(name), bytes);
    let _ = audit(run()).map_err(|error| error.to_string());
}

/// The folder of a run that is over.
fn run() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = ground().join("run");
        EVIDENCE.iter().for_each(|(name, text)| write(&folder.join(name), text.as_bytes()));
        folder
    })
}

fn declarations() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = ground().join("declared");
        fs::create_dir_all(folder.join("image")).expect("a folder");
        write(&folder.join("image/Dockerfile"), b"FROM scratch\n");
        write(&folder.join("zone-outage.yaml"), SCENARIO.as_bytes());
        write(&folder.join("shop.yaml"), SYSTEM.as_bytes());
        folder
    })
}

/// A folder for this process alone.
fn ground() -> PathBuf {
    std::env::temp_dir().join(format!("blackstart-fuzz-{}", std::process::id()))
}

fn write(file: &Path, bytes: &[u8]) {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).expect("a folder");
    }
    fs::write(file, bytes).expect("a file");
}

fn show(read: Result<Declared, Refusals>) {
    match read {
        Ok(declared) => drop(plan::build(declared, 7).map(|plan| plan::text::text(&plan))),
        Err(refusals) => {
            refusals.render(Look::Plain);
            refusals.render(Look::Colour);
        }
    }
}
