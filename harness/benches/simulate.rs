//! How much faster than the real one a simulated drill runs, against the budget of 10,000 times on one core.
//!
//! `cargo bench --bench simulate [-- RUNS]`. Whole drills: every phase, nothing written to disk.

mod shared;

use std::{path::Path, sync::Arc, time::Duration};

use blackstart::{
    clock::Clock,
    drill::{self, Setting},
    plan, scenario,
    world::{World, simulated::SimulatedWorld},
};

const SCENARIO: &str = "scenarios/order-management/primary-zone-outage.yaml";

fn main() {
    let runs = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(50_u64).max(1);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(SCENARIO);
    let declared = Arc::new(scenario::read(&file).unwrap_or_else(|refusals| panic!("{refusals}")));
    let started = shared::processor_time();
    let mut simulated = Duration::ZERO;
    let mut requests = 0;
    for seed in 1..=runs {
        let (lasted, sent) = simulate(plan::build(Arc::clone(&declared), seed).expect("a plan"));
        simulated += lasted;
        requests += sent;
    }
    let took = shared::processor_time().saturating_sub(started);
    let ratio = simulated.as_secs_f64() / took.as_secs_f64();
    println!("{runs} simulated drills of {:.1} s each, {} requests", simulated.as_secs_f64() / runs as f64, requests);
    println!(
        "  {:.2} ms a drill, {:.1} µs a request",
        took.as_secs_f64() * 1e3 / runs as f64,
        took.as_secs_f64() * 1e6 / requests.max(1) as f64
    );
    println!("  {ratio:.0} times the processor time that it takes (budget: at least 10,000 times)");
}

/// How long a drill lasted on its own clock, and how many requests its clients made.
fn simulate(plan: plan::Plan) -> (Duration, u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
    runtime.block_on(async {
        let clock = Clock::start();
        let world: Arc<dyn World> = Arc::new(SimulatedWorld::new(&plan, plan.seed, clock));
        let record = drill::run(plan, world, Setting::keeping_nothing(clock)).await;
        let load = record.load.unwrap_or_else(|| panic!("no load ran: {:?}", record.reasons));
        (Duration::from_micros(clock.now_us()), load.acknowledged + load.refused + load.indeterminate)
    })
}
