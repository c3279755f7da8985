//! Every reader against files that were damaged by a seed: it may refuse them, and must neither panic nor hang.
//!
//! `BLACKSTART_MUTATIONS=20000 cargo nextest run --test mutations` looks longer, and `BLACKSTART_MUTATIONS_SEED` elsewhere.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

mod ground;
mod mutate;

use std::{fs, path::Path, sync::Arc};

use blackstart::{
    clock::Clock,
    drill::{self, Setting},
    plan::{self, Plan},
    scenario::{self, Declared, Refusals, refusal::Look},
    topology::ledger,
    world::simulated::SimulatedWorld,
};
use blackstart_evidence::{audit::audit, cut_off, folder, index};
use blackstart_reports::render::{Format, Style, diff, json, render, render_summary, repeat};
use ground::{Ground, attack};

fn show(refusals: &Refusals) {
    for look in [Look::Colour, Look::Unicode, Look::Plain] {
        refusals.render(look);
    }
    let told = refusals.to_string() + &serde_json::to_string(&refusals.0).unwrap();
    assert!(told.len() < 4_000_000, "a refusal is no book");
}

fn declared(read: Result<Declared, Refusals>) -> Option<Plan> {
    match read {
        Ok(declared) => {
            show(&Refusals(declared.warnings.clone()));
            let plan = plan::build(declared, 7).ok()?;
            plan::text::text(&plan);
            Some(plan)
        }
        Err(refusals) => {
            show(&refusals);
            None
        }
    }
}

/// A drill of what was found sound, in the simulated world.
fn simulate(plan: Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let record = runtime.block_on(async {
        let clock = Clock::start();
        let world = Arc::new(SimulatedWorld::new(&plan, 7, clock));
        drill::run(plan, world, Setting::keeping_nothing(clock)).await
    });
    render(&record, Format::Terminal, &Style::default());
}

#[test]
fn scenarios() {
    let ground = Ground::new("scenarios");
    let files = ground.scenarios();
    attack("scenario", 160, &files, |file, turn| {
        if let Some(plan) = declared(scenario::read(file)).filter(|_| turn % 8 == 0) {
            simulate(plan);
        }
    });
}

#[test]
fn systems() {
    let ground = Ground::new("systems");
    let files = ground.systems();
    let drill = |system: &Path| match system.file_stem().unwrap().to_str().unwrap() {
        "order-management" => ground.top().join("scenarios/order-management/primary-zone-outage.yaml"),
        _ => ground.top().join("scenarios/process-cell/site-lost-and-return.yaml"),
    };
    attack("system", 80, &files, |file, turn| {
        if let Err(refusals) = scenario::read_system(file) {
            show(&refusals);
        }
        if let Some(plan) = declared(scenario::read(&drill(file))).filter(|_| turn % 8 == 0) {
            simulate(plan);
        }
    });
}

#[test]
fn records() {
    let ground = Ground::new("records");
    let file = ground.run().join("result.json");
    let sound = json::read(&fs::read_to_string(&file).unwrap()).unwrap();
    attack("record", 300, &[file], |file, _| {
        let Ok(record) = json::read(&String::from_utf8_lossy(&fs::read(file).unwrap())) else { return };
        for format in [Format::Terminal, Format::Markdown, Format::Json, Format::Junit, Format::Html] {
            for verbose in [true, false] {
                render(&record, format, &Style { verbose, ..Style::default() });
            }
        }
        let both = [sound.clone(), record];
        render_summary(&both);
        repeat::render(&repeat::repeat(&both), &Style::default());
        diff::render(&both[0], &both[1], &Style::default());
    });
}

#[test]
fn evidence() {
    let ground = Ground::new("evidence");
    let names = ["history.jsonl", "observations.json", "SHA256SUMS", "result.json", "scenario.yaml"];
    let files = names.map(|name| ground.run().join(name));
    attack("evidence", 200, &files, |file, _| {
        let _ = audit(file.parent().unwrap()).map_err(|error| error.to_string());
    });
}

#[test]
fn journals() {
    let ground = Ground::new("journals");
    attack("journal", 200, &[ground.run().join("events.jsonl")], |file, _| {
        let run = file.parent().unwrap();
        let _ = folder::journal(run);
        let _ = cut_off::record(run);
    });
}

#[test]
fn ledgers() {
    let ground = Ground::new("ledgers");
    attack("ledger", 200, &[ground.ledger()], |file, _| {
        let _ = ledger::find(file.parent().unwrap());
    });
}

#[test]
fn indexes() {
    let ground = Ground::new("indexes");
    let runs = ground.run().parent().unwrap().to_owned();
    attack("index", 200, &[runs.join("index.jsonl")], |file, _| {
        let _ = index::read(file.parent().unwrap());
    });
}
