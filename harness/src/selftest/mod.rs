//! The self-test of a system's checks: each declared defect is put into the healthy system, and some check must find it.
//!
//! `provision → load → clean run → save → (inject → prove → check → restore)… → clean run → tear down`. It stands on the
//! same machinery as a drill, and evaluates the checks where a drill evaluates the system: a defect that no check finds is a
//! failure, and so is a check that finds something where nothing is broken.

mod stage;

use std::{panic::AssertUnwindSafe, path::PathBuf, sync::Arc};

use blackstart_reports::selftest::{
    Alarm, DefectResult, Detector, FILE, RPO, SCHEMA_VERSION, Said, Selftest, is_alarm, is_catch, is_missed,
};
use futures_util::FutureExt;

use crate::{
    drill::{Bundle, Event, Events, Setting, Stop, digest_of, open_bundle, resolved, stop, words_of},
    files::Reach,
    plan::{self, Plan, PlannedStep, or_default},
    scenario::{
        Declared, System,
        selftest::{Defect, SelfTest},
        step::Step,
        units::Span,
    },
    topology::Topology,
    world::World,
};
use stage::{Seen, Stage};

/// After so many defects, the healthy system is looked at again.
const CLEAN_RUN_AFTER: usize = 8;

/// How long a check may take where the system does not say.
const PATIENCE_MS: u64 = 2000;

/// The seed of the load: what is broken afterwards does not depend on it.
const SEED: u64 = 1;

/// What one self-test will do.
pub struct Agenda {
    plan: Plan,
    selftest: SelfTest,
    midway: Vec<PlannedStep>,
    save: Vec<PlannedStep>,
    restore: Vec<Vec<PlannedStep>>,
    defects: Vec<PlannedDefect>,
}

/// A defect with its steps.
struct PlannedDefect {
    declared: Defect,
    prepare: Vec<PlannedStep>,
    inject: Vec<PlannedStep>,
    undo: Vec<PlannedStep>,
}

impl Agenda {
    /// The system that is tested, as it is made.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The self-test of a system that has been validated, with some of its defects. Nothing where the system has none.
    ///
    /// # Errors
    /// When something of it cannot be planned.
    pub fn of(
        mut system: System,
        system_file: PathBuf,
        reach: Reach,
        defects: Vec<Defect>,
    ) -> Result<Option<Self>, plan::Unplannable> {
        let Some(selftest) = system.selftest.clone() else { return Ok(None) };
        system.leave_out_repositories();
        system.leave_out_spares(|_| false);
        let scenario = selftest.scenario(&system, &[]);
        let scenario_file = system_file.clone();
        let declared = Declared { scenario, system, scenario_file, system_file, reach, warnings: Vec::new() };
        let plan = plan::build(declared, SEED)?;
        let steps = |steps: &[Step]| plan::steps(steps, &plan.declared);
        let midway = steps(&selftest.midway)?;
        let save = steps(&selftest.save)?;
        let restore = selftest.restore.iter().map(|list| steps(list)).collect::<Result<_, _>>()?;
        let defect = |declared: Defect| {
            let (prepare, inject, undo) = (steps(&declared.prepare)?, steps(&declared.inject)?, steps(&declared.undo)?);
            Ok(PlannedDefect { declared, prepare, inject, undo })
        };
        let defects = defects.into_iter().map(defect).collect::<Result<_, _>>()?;
        Ok(Some(Self { plan, selftest, midway, save, restore, defects }))
    }

    /// The plan for a look at the damaged system: a check may take as long as in a drill where nothing is broken, and
    /// no longer than the system has patience for where something is, as then it takes all the time that it has.
    fn hasty_plan(&self) -> Plan {
        let mut plan = self.plan.clone();
        let patience = or_default(self.selftest.patience, PATIENCE_MS);
        for check in &mut plan.checks {
            let within = check.within.map_or(patience, |within| within.duration().min(patience));
            check.within = Some(Span::from_ms(within.as_millis() as u64));
        }
        plan
    }
}

/// Runs a self-test to its end, and gives its record. Whatever happens, what it made is removed.
pub async fn run(agenda: Agenda, world: Arc<dyn World>, setting: Setting) -> Selftest {
    let agenda = Arc::new(agenda);
    let mut record = new_record(&agenda, &setting);
    let (bundle, journal, trouble) = open_bundle(&setting);
    record.stopped.extend(trouble);
    let events = Events::new(setting.clock, journal, Arc::clone(&setting.listener));
    let mut topology = Topology::new(Arc::clone(&world), setting.ledger.clone());
    if record.stopped.is_empty() {
        let body =
            setting.cancel.run_until_cancelled(perform(&agenda, &world, &setting, &events, &mut topology, &mut record));
        // Even if the fault is ours, what was made must go.
        let ended = AssertUnwindSafe(body).catch_unwind().await;
        let ended = ended.unwrap_or_else(|panic| Some(Err(Stop::Panic(words_of(&*panic)))));
        if let Err(stop) = ended.unwrap_or(Err(Stop::Cancelled)) {
            let why = match stop {
                Stop::Cancelled => "the self-test was told to end before it was over".to_owned(),
                other => other.to_string(),
            };
            events.say(Event::Stopped { why: why.clone() });
            record.stopped.push(why);
        }
    }
    if !setting.keep {
        events.say(Event::Phase { name: "tear down".to_owned() });
        record.leftovers = topology.tear_down().await;
    }
    record.stopped.extend(events.trouble());
    record.seconds = setting.clock.now_us() as f64 / 1e6;
    record.note_never_failed();
    if let Some(error) = bundle.and_then(|bundle| seal(&bundle, &record, &agenda.plan).err()) {
        record.stopped.push(format!("the evidence could not be written: {error}"));
    }
    record
}

/// Writes the record and the system as it was run, and the sums over all of it.
fn seal(bundle: &Bundle, record: &Selftest, plan: &Plan) -> std::io::Result<()> {
    bundle.write(FILE, &format!("{}\n", serde_json::to_string_pretty(record)?))?;
    bundle.write("system.yaml", &resolved(plan))?;
    bundle.finish().map(drop)
}

fn new_record(agenda: &Agenda, setting: &Setting) -> Selftest {
    let checks = agenda.plan.checks.iter().map(|check| Detector { id: check.id.clone(), level: Some(check.level) });
    Selftest {
        schema_version: SCHEMA_VERSION,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        run_id: setting.run_id.clone(),
        started_at: setting.started_at.clone(),
        system: agenda.plan.declared.system.system.clone(),
        digest: digest_of(&resolved(&agenda.plan)),
        checks: checks.chain([Detector { id: RPO.to_owned(), level: None }]).collect(),
        defects: Vec::new(),
        clean_runs: 0,
        false_alarms: 0,
        alarms: Vec::new(),
        never_failed: Vec::new(),
        stopped: Vec::new(),
        seconds: 0.0,
        leftovers: Vec::new(),
    }
}

/// Everything from the first container to the last clean run.
async fn perform(
    agenda: &Arc<Agenda>,
    world: &Arc<dyn World>,
    setting: &Setting,
    events: &Events,
    topology: &mut Topology,
    record: &mut Selftest,
) -> Result<(), Stop> {
    let mut stage = Stage::new(agenda, world, setting, events);
    stage.provision(topology).await?;
    stage.load(&agenda.selftest, &agenda.midway).await?;
    clean_run(&mut stage, record).await;
    stage.save(&agenda.save).await?;
    for (index, defect) in agenda.defects.iter().enumerate() {
        if index > 0 && index % CLEAN_RUN_AFTER == 0 {
            clean_run(&mut stage, record).await;
        }
        try_defect(agenda, &mut stage, defect, record).await?;
    }
    clean_run(&mut stage, record).await;
    Ok(())
}

/// Every check on the healthy system, none of which may find anything.
async fn clean_run(stage: &mut Stage<'_>, record: &mut Selftest) {
    record.clean_runs += 1;
    stage.say_phase(&format!("clean run {}", record.clean_runs));
    let found = stage.examine(None).await;
    let alarm = |Seen { check, status, detail }| Alarm { clean_run: record.clean_runs, check, status, detail };
    let alarms: Vec<Alarm> = found.into_iter().filter(|seen| is_alarm(seen.status)).map(alarm).collect();
    record.false_alarms += alarms.len() as u64;
    record.alarms.extend(alarms);
}

/// One defect: put in, seen to be there, looked for, and taken out again. One that could not be put in is an error of
/// the run, and no reason to leave out the others.
async fn try_defect(
    agenda: &Agenda,
    stage: &mut Stage<'_>,
    defect: &PlannedDefect,
    record: &mut Selftest,
) -> Result<(), Stop> {
    let PlannedDefect { declared, prepare, inject, undo } = defect;
    let started_us = stage.now_us();
    stage.say_phase(&declared.id);
    if !prepare.is_empty() {
        stage.prepare(prepare).await?;
    }
    let struck_us = stage.now_us();
    match stage.carry_out(inject).await? {
        Ok(proof) => {
            stage.say(Event::Bit { proof: proof.clone() });
            stage.let_it_show().await;
            let found = stage.examine(Some(struck_us)).await;
            let seconds = |now_us: u64| (now_us - started_us) as f64 / 1e6;
            stage.restore(undo, &agenda.restore).await?;
            record.defects.push(defect_result(declared, proof, found, seconds(stage.now_us())));
        }
        Err(why) => {
            let stopped = stop("inject", anyhow::anyhow!("{} could not be put in: {why}", declared.id)).to_string();
            stage.say(Event::Stopped { why: stopped.clone() });
            record.stopped.push(stopped);
            stage.restore(undo, &agenda.restore).await?;
        }
    }
    Ok(())
}

fn defect_result(defect: &Defect, proof: String, found: Vec<Seen>, seconds: f64) -> DefectResult {
    let said: Vec<Said> = found
        .into_iter()
        .filter(|seen| is_catch(seen.status))
        .map(|seen| Said { check: seen.check, detail: seen.detail })
        .collect();
    let caught_by: Vec<String> = said.iter().map(|said| said.check.clone()).collect();
    DefectResult {
        kind: defect.id.clone(),
        family: defect.family.clone(),
        about: defect.about.clone(),
        proof,
        missed: is_missed(&defect.must_be_caught_by, &caught_by, defect.cannot_be_caught.is_some()),
        caught_by,
        must_be_caught_by: defect.must_be_caught_by.clone(),
        cannot_be_caught: defect.cannot_be_caught.clone(),
        said,
        seconds,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn agenda() -> Agenda {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/systems/order-management.yaml");
        let (system, _) = crate::scenario::read_system(&file).unwrap();
        let defects = system.defects.clone();
        Agenda::of(system, file, Reach::default(), defects).unwrap().unwrap()
    }

    #[test]
    fn no_check_takes_longer_than_the_system_has_patience_for() {
        let agenda = agenda();
        let patience = agenda.selftest.patience.unwrap();
        assert!(agenda.hasty_plan().checks.iter().all(|check| check.within.is_some_and(|within| within <= patience)));
    }

    #[test]
    fn a_defect_is_found_by_what_failed_and_by_nothing_else() {
        use blackstart_reports::record::Status;
        let seen = |check: &str, status| Seen { check: check.to_owned(), status, detail: "a row".to_owned() };
        let found = vec![seen("a", Status::Passed), seen("b", Status::Failed), seen("c", Status::Error)];
        let mut defect = agenda().defects.remove(0).declared;
        defect.must_be_caught_by = vec!["b".to_owned()];
        let finding = defect_result(&defect, "seen".to_owned(), found.clone(), 1.0);
        assert_eq!((finding.caught_by, finding.missed), (vec!["b".to_owned()], false), "c could not be carried out");
        for overlooked in ["a", "c"] {
            defect.must_be_caught_by = vec![overlooked.to_owned(), "b".to_owned()];
            assert!(super::defect_result(&defect, "seen".to_owned(), found.clone(), 1.0).missed, "{overlooked}");
        }
    }

    #[test]
    fn nothing_can_be_tested_of_a_system_without_a_self_test() {
        let mut system = agenda().plan.declared.system.clone();
        system.selftest = None;
        assert!(Agenda::of(system, PathBuf::new(), Reach::default(), Vec::new()).unwrap().is_none());
    }
}
