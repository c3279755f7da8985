//! Drills and self-tests: which there are, and how several of them run side by side.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use crate::{
    children::{Children, Ended},
    chosen,
    scenario::{Ending, Scenario},
    scope::Scope,
};

/// Something that `blackstart` does on real containers, and how it must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub what: String,
    /// The arguments of `blackstart`.
    pub arguments: Vec<String>,
    pub ending: Ending,
}

impl Task {
    fn of_drill(scenario: &Scenario) -> Self {
        let what = match scenario.ending {
            Ending::Failed { .. } => format!("drill that must fail: {}", scenario.file),
            _ => format!("drill: {}", scenario.file),
        };
        Self { what, arguments: vec!["run".into(), scenario.file.clone()], ending: scenario.ending.clone() }
    }

    fn of_self_test(system: &str) -> Self {
        let arguments = vec!["selftest".into(), format!("fixtures/systems/{system}.yaml")];
        Self { what: format!("self-test: {system}"), arguments, ending: Ending::Passed }
    }
}

/// What a scope runs on real containers, in order: that of the gate, where it has one.
pub fn of(scope: &Scope, scenarios: &[Scenario], self_tests: &[String]) -> Vec<Task> {
    let mut drills: Vec<&Scenario> = scenarios.iter().filter(|scenario| scope.drills(scenario)).collect();
    if *scope == Scope::Gate {
        drills.sort_by_key(|scenario| chosen::place(&scenario.file));
    }
    let own = self_tests.iter().filter(|system| scope.tests_itself(system)).map(|system| Task::of_self_test(system));
    drills.into_iter().map(Task::of_drill).chain(own).collect()
}

/// The program, and from where it runs.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub top: PathBuf,
}

impl Program {
    /// A command of the program with these arguments.
    pub fn command(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(arguments).current_dir(&self.top);
        command
    }

    /// Runs a task, with its evidence in a folder.
    ///
    /// # Errors
    /// Where the program cannot be started, or we were told to end.
    pub fn run(&self, task: &Task, evidence: &Path, children: &Children) -> io::Result<Ended> {
        let mut command = self.command(&task.arguments);
        command.arg("--out").arg(evidence);
        children.run(command, |_| ())
    }
}

/// Does something for each task, so many at a time, and hands over each outcome as it comes.
pub fn side_by_side<T: Send>(
    tasks: &[Task],
    at_a_time: usize,
    run: impl Fn(&Task) -> T + Sync,
    mut ended: impl FnMut(&Task, T),
) {
    let waiting = Mutex::new(tasks.iter());
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..at_a_time.clamp(1, tasks.len().max(1)) {
            let (tell, waiting, run) = (tell.clone(), &waiting, &run);
            scope.spawn(move || {
                while let Some(task) = next(waiting) {
                    // The receiver outlives this scope.
                    let _ = tell.send((task, run(task)));
                }
            });
        }
        drop(tell);
        told.iter().for_each(|(task, outcome)| ended(task, outcome));
    });
}

fn next<'a>(waiting: &Mutex<impl Iterator<Item = &'a Task>>) -> Option<&'a Task> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).next()
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    fn scenario(file: &str, system: &str) -> Scenario {
        Scenario::of(file, &format!("# Shown by: why\nsystem: {system}.yaml\n"))
    }

    #[test]
    fn a_release_runs_every_drill_and_every_self_test() {
        let all =
            ["scenarios/shop/lost.yaml", "scenarios/broken/fails-late.yaml", "scenarios/broken/refused-typo.yaml"]
                .map(|file| scenario(file, "shop"));
        let tasks = of(&Scope::All, &all, &["shop".into(), "mill".into()]);
        let what: Vec<&str> = tasks.iter().map(|task| task.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "drill: scenarios/shop/lost.yaml",
                "drill that must fail: scenarios/broken/fails-late.yaml",
                "self-test: shop",
                "self-test: mill"
            ]
        );
        assert_eq!(tasks[1].ending.exit_status(), 1);
        assert_eq!(tasks[2].arguments, ["selftest", "fixtures/systems/shop.yaml"]);
        assert_eq!(of(&Scope::System("mill".into()), &all, &["shop".into(), "mill".into()]).len(), 1);
        assert!(of(&Scope::WithoutDrills, &all, &["shop".into()]).is_empty());
    }

    #[test]
    fn the_gate_begins_with_what_takes_longest() {
        let all: Vec<Scenario> = chosen::GATE.iter().rev().map(|(file, _)| scenario(file, "shop")).collect();
        let tasks = of(&Scope::Gate, &all, &["shop".into()]);
        let files: Vec<&str> = tasks.iter().map(|task| task.arguments[1].as_str()).collect();
        assert_eq!(files, chosen::GATE.map(|(file, _)| file));
    }

    #[test]
    fn no_more_run_at_a_time_than_there_is_room_for_and_all_are_heard() {
        let tasks: Vec<Task> = (0..9).map(|number| Task::of_self_test(&number.to_string())).collect();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut heard = Vec::new();
        let run = |task: &Task| {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(2));
            now.fetch_sub(1, Ordering::SeqCst);
            task.what.clone()
        };
        side_by_side(&tasks, 2, run, |task, outcome| heard.push((task.what.clone(), outcome)));
        assert!(most.into_inner() <= 2);
        assert!(heard.len() == 9 && heard.iter().all(|(what, outcome)| what == outcome), "{heard:?}");
        side_by_side(&[], 2, |task: &Task| task.what.clone(), |_, _| unreachable!());
    }
}
