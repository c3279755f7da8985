//! The stages of a run, one after the other, and what each leaves in the table.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    children::{Children, Ended},
    evaluate::{self, Evaluated},
    report::{Outcome, Report},
    scenario::{self, Scenario},
    scope::Scope,
    summary,
    tasks::{self, Program, Task},
};

/// The top of the repository that this program belongs to.
pub fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A run of `ci/test`.
pub struct Run<'a> {
    pub scope: Scope,
    /// Whether there is a Docker engine.
    pub has_engine: bool,
    pub children: &'a Children,
    /// Prints a line.
    pub say: &'a dyn Fn(&str),
    pub report: Report,
    program: Program,
    evidence: PathBuf,
}

impl<'a> Run<'a> {
    pub fn new(scope: Scope, has_engine: bool, children: &'a Children, say: &'a dyn Fn(&str)) -> Self {
        let top = top();
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
        let (path, evidence) = (target.join("debug/blackstart"), target.join("ci-test"));
        Self { scope, has_engine, children, say, report: Report::default(), program: Program { path, top }, evidence }
    }

    /// All stages of the scope.
    ///
    /// # Errors
    /// Where a program or a file that is needed cannot be had, or we were told to end.
    pub fn all(&mut self) -> io::Result<()> {
        if self.scope.has_tests() {
            self.format_and_lint()?;
        }
        let is_built = self.build()?;
        if self.scope.has_tests() {
            self.tests()?;
        }
        if is_built { self.scenarios() } else { Ok(()) }
    }

    fn format_and_lint(&mut self) -> io::Result<()> {
        let mut format = Command::new(self.program.top.join("ci/format"));
        format.arg("--check");
        self.stage_of("format", "fmt", format)?;
        let lint = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
        self.stage_of("lint", "clippy", self.cargo(&lint))
    }

    /// A stage that needs a subcommand of cargo's, where that is here.
    fn stage_of(&mut self, name: &str, subcommand: &str, command: Command) -> io::Result<()> {
        if !self.has_tool(subcommand) {
            let why = format!("{name}: `cargo {subcommand} --version` does not work");
            self.report.row(Duration::ZERO, Outcome::DidNotRun, why);
            return Ok(());
        }
        let ended = self.stage(name, command)?;
        self.evaluate_stage(name, &ended);
        Ok(())
    }

    fn has_tool(&self, subcommand: &str) -> bool {
        let version = self.children.run(self.cargo(&[subcommand, "--version"]), |_| ());
        version.is_ok_and(|ended| ended.is_good())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(arguments).current_dir(&self.program.top).env("RUST_BACKTRACE", "0");
        cargo
    }

    /// Runs a program as a stage, and shows what it says.
    fn stage(&mut self, name: &str, command: Command) -> io::Result<Ended> {
        (self.say)(&format!("── {name}"));
        let ended = self.children.run(command, self.say)?;
        self.report.stage(name, ended.took);
        self.stop_if_told()?;
        Ok(ended)
    }

    fn stop_if_told(&self) -> io::Result<()> {
        let told = || io::Error::new(io::ErrorKind::Interrupted, "told to end");
        if self.children.are_told_to_end() { Err(told()) } else { Ok(()) }
    }

    fn evaluate_stage(&mut self, name: &str, ended: &Ended) {
        let outcome = if ended.is_good() { Outcome::Passed } else { Outcome::Failed };
        self.report.row(ended.took, outcome, name);
    }

    /// Builds what the tests and the drills need, in one go: the tests of the program build the program.
    fn build(&mut self) -> io::Result<bool> {
        let build = match (self.scope.has_tests(), self.has_tool("nextest")) {
            (false, _) => ["build", "--workspace", "--locked"].to_vec(),
            (true, true) => ["nextest", "run", "--workspace", "--locked", "--no-run"].to_vec(),
            (true, false) => ["test", "--workspace", "--locked", "--no-run"].to_vec(),
        };
        let ended = self.stage("build", self.cargo(&build))?;
        self.evaluate_stage("build", &ended);
        Ok(ended.is_good())
    }

    fn tests(&mut self) -> io::Result<()> {
        if !self.has_engine {
            self.without_engine("tests");
        }
        let command = if self.has_tool("nextest") { self.nextest() } else { self.libtest()? };
        self.count_tests("tests", command)?;
        if self.scope == Scope::All {
            self.count_tests("tests in documentation", self.cargo(&["test", "--workspace", "--locked", "--doc"]))?;
            let fuzzed = self.stage("fuzz", Command::new(self.program.top.join("ci/fuzz")))?;
            self.evaluate_stage("fuzz", &fuzzed);
        }
        Ok(())
    }

    fn without_engine(&mut self, what: &str) {
        let is_asked_for = self.scope == Scope::WithoutDrills;
        let (outcome, why) =
            if is_asked_for { (Outcome::LeftOut, "left out") } else { (Outcome::DidNotRun, "no engine") };
        self.report.row(Duration::ZERO, outcome, format!("{what} on Docker: {why}"));
    }

    fn nextest(&self) -> Command {
        let run =
            ["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "--failure-output", "immediate-final"];
        let mut command = self.cargo(&run);
        if self.scope == Scope::All {
            command.arg("--ignore-default-filter");
        }
        if !self.has_engine {
            command.args(["-E", "not binary(/^docker/)"]);
        }
        command
    }

    /// Without nextest.
    fn libtest(&self) -> io::Result<Command> {
        (self.say)("cargo-nextest is not here, so `cargo test` it is");
        let mut command = self.cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--lib", "--bins"]);
        for name in test_programs(&self.program.top)? {
            if self.has_engine || !name.starts_with("docker") {
                command.args(["--test", &name]);
            }
        }
        if self.scope != Scope::All {
            command.args(["--", "--skip", EXHAUSTIVE]);
        }
        Ok(command)
    }

    /// A stage that tells how many tests it ran.
    fn count_tests(&mut self, name: &str, command: Command) -> io::Result<()> {
        let ended = self.stage(name, command)?;
        self.report.tests(summary::count(&ended.said));
        self.evaluate_stage(name, &ended);
        for flaky in summary::flaky(&ended.said) {
            self.report.row(Duration::ZERO, Outcome::Flaky, format!("failed once: {flaky}"));
        }
        if !ended.is_good() {
            self.report.failures(&summary::failures(&ended.said));
        }
        Ok(())
    }

    fn scenarios(&mut self) -> io::Result<()> {
        let scenarios = scenario::all(&self.program.top)?;
        self.check(&scenarios)?;
        let self_tests = scenario::self_tests(&self.program.top)?;
        let tasks = tasks::of(&self.scope, &scenarios, &self_tests);
        if !self.has_engine {
            self.without_engine("drills");
            return Ok(());
        }
        let begun = Instant::now();
        self.on_containers(&tasks)?;
        self.report.stage("drills", begun.elapsed());
        Ok(())
    }

    /// Each scenario is sound, or is refused where it must be.
    fn check(&mut self, scenarios: &[Scenario]) -> io::Result<()> {
        (self.say)("── scenarios");
        let begun = Instant::now();
        for scenario in scenarios.iter().filter(|scenario| self.scope.checks(scenario)) {
            let command = self.program.command(&["check".into(), scenario.file.clone()]);
            let ended = self.children.run(command, |_| ())?;
            let (wanted, word) = if scenario.ending.exit_status() == 2 { (2, "refused") } else { (0, "sound") };
            if ended.status != Some(wanted) {
                (self.say)(&ended.said);
            }
            self.report.test(ended.took, ended.status == Some(wanted), format!("{word}: {}", scenario.file));
        }
        self.report.stage("scenarios", begun.elapsed());
        self.stop_if_told()
    }

    /// Drills and self-tests. What came to no verdict is run once more, alone.
    fn on_containers(&mut self, tasks: &[Task]) -> io::Result<()> {
        let (program, evidence, children) = (self.program.clone(), self.evidence.clone(), self.children);
        let at_a_time = Scope::at_a_time(thread::available_parallelism().map_or(1, usize::from));
        let run = |task: &Task| program.run(task, &evidence, children);
        let (mut again, mut error) = (Vec::new(), None);
        tasks::side_by_side(tasks, at_a_time, run, |task, ended| match ended {
            Ok(ended) if self.hear(task, &ended, true) => again.push(task.clone()),
            Ok(_) => {}
            Err(why) => error = Some(why),
        });
        error.map_or(Ok(()), Err)?;
        self.stop_if_told()?;
        for task in &again {
            let ended = run(task)?;
            self.stop_if_told()?;
            self.hear(task, &ended, false);
        }
        Ok(())
    }

    /// Shows and evaluates one that has ended. Gives whether it is to be tried once more.
    fn hear(&mut self, task: &Task, ended: &Ended, is_first: bool) -> bool {
        let what = if is_first { task.what.clone() } else { format!("{}, alone", task.what) };
        (self.say)(&format!("── {what}\n{}", ended.said.trim_end()));
        match evaluate::evaluate(ended.status, &task.ending) {
            Evaluated::AsDeclared => {
                self.report.test(ended.took, true, what);
                self.hear_reason(task, &ended.said);
            }
            Evaluated::Otherwise(why) => self.report.test(ended.took, false, format!("{what}: {why}")),
            Evaluated::NoVerdict(status) if is_first => {
                let what = format!("{what}: exit status {status}; once more, alone, below");
                self.report.row(ended.took, Outcome::NoVerdict, what);
                return true;
            }
            Evaluated::NoVerdict(status) => {
                self.report.test(ended.took, false, format!("{what}: exit status {status}, once more"));
            }
        }
        false
    }

    /// One that must fail has failed: was it for its reason?
    fn hear_reason(&mut self, task: &Task, said: &str) {
        let folder = evaluate::evidence(said).map(|folder| self.program.top.join(folder));
        let record = folder.and_then(|folder| fs::read_to_string(folder.join("result.json")).ok());
        match evaluate::reason(&task.ending, &record.unwrap_or_default()) {
            Some(Ok(seen)) => self.report.row(Duration::ZERO, Outcome::Passed, format!("its reason: {seen}")),
            Some(Err(why)) => self.report.row(Duration::ZERO, Outcome::Failed, format!("its reason: {why}")),
            None => {}
        }
    }
}

/// How the names of tests begin that are too long for the gate, as `.config/nextest.toml` says as well.
const EXHAUSTIVE: &str = "exhaustive_";

/// The integration tests of all packages, by name, each once.
fn test_programs(top: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for package in packages(top, 2)? {
        let Ok(entries) = fs::read_dir(package.join("tests")) else { continue };
        for path in entries.collect::<io::Result<Vec<_>>>()?.into_iter().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file() {
                names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
            }
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The folders with a manifest, so many levels down.
fn packages(folder: &Path, levels: usize) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?.into_iter().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_ours = path.is_dir() && name != "target" && !name.starts_with('.');
        if is_ours && path.join("Cargo.toml").is_file() {
            found.push(path.clone());
        }
        if is_ours && levels > 1 {
            found.extend(packages(&path, levels - 1)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Ending;

    /// A shell notes what it is asked to `run`, and ends with the next of the numbers in a file that the scenario names.
    const RUN: &str = "echo $1 >>asked; status=$(head -n 1 $1); sed -i 1d $1; echo 'evidence: record'; exit $status\n";

    /// A folder with that, and a record.
    struct Stage(PathBuf);

    impl Stage {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("gate-{name}-{}", std::process::id()));
            fs::create_dir_all(folder.join("record")).unwrap();
            fs::write(folder.join("record/result.json"), r#"{"reasons":["the RTO target was missed"]}"#).unwrap();
            fs::write(folder.join("run"), RUN).unwrap();
            Self(folder)
        }

        /// A drill that ends with these statuses, one after the other.
        fn drill(&self, name: &str, statuses: &str, ending: Ending) -> Task {
            fs::write(self.0.join(name), statuses).unwrap();
            Task { what: format!("drill: {name}"), arguments: vec!["run".into(), name.into()], ending }
        }

        /// The table after these drills, and which were run, in order.
        fn run(&self, drills: &[Task]) -> (Report, Vec<String>) {
            let (children, say) = (Children::default(), |_: &str| ());
            let mut run = Run::new(Scope::All, true, &children, &say);
            run.program = Program { path: "/bin/sh".into(), top: self.0.clone() };
            run.on_containers(drills).unwrap();
            let asked = fs::read_to_string(self.0.join("asked")).unwrap();
            (run.report, asked.lines().map(str::to_owned).collect())
        }
    }

    impl Drop for Stage {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn fails_by(words: &str) -> Ending {
        Ending::Failed { shown_by: Some(words.to_owned()) }
    }

    #[test]
    fn a_drill_without_a_verdict_is_tried_once_more_when_the_others_are_over() {
        let stage = Stage::new("again");
        let drills = [stage.drill("a", "4\n0\n", Ending::Passed), stage.drill("b", "0\n", Ending::Passed)];
        let (report, asked) = stage.run(&drills);
        assert_eq!((report.exit_status(), asked.last().unwrap().as_str(), asked.len()), (0, "a", 3));
        let text = report.text(Duration::ZERO);
        assert!(
            text.contains("no verdict   drill: a: exit status 4; once more") && text.contains("drill: a, alone"),
            "{text}"
        );
        assert!(text.ends_with(" 2 tests run: 2 passed, 0 failed, 0 skipped\n"), "{text}");
    }

    #[test]
    fn a_drill_that_comes_to_no_verdict_twice_has_failed() {
        let stage = Stage::new("twice");
        let (report, asked) = stage.run(&[stage.drill("a", "3\n3\n0\n", Ending::Passed)]);
        assert_eq!((report.exit_status(), asked.len()), (1, 2));
    }

    #[test]
    fn a_verdict_is_never_asked_for_twice() {
        let stage = Stage::new("verdict");
        let drills = [stage.drill("a", "1\n0\n", Ending::Passed), stage.drill("b", "0\n1\n", fails_by("missed"))];
        let (report, asked) = stage.run(&drills);
        assert_eq!((report.exit_status(), asked.len()), (1, 2));
        assert!(report.text(Duration::ZERO).ends_with(" 2 tests run: 0 passed, 2 failed, 0 skipped\n"));
    }

    #[test]
    fn a_drill_that_must_fail_fails_for_its_reason() {
        let stage = Stage::new("reason");
        let (report, _) = stage.run(&[stage.drill("a", "1\n", fails_by("the RTO target was missed"))]);
        assert_eq!(report.exit_status(), 0);
        let (report, _) = stage.run(&[stage.drill("a", "1\n", fails_by("takes writes: db-a, db-b"))]);
        assert_eq!(report.exit_status(), 1);
    }

    #[test]
    fn nextest_leaves_the_same_tests_out_of_the_gate() {
        let config = fs::read_to_string(top().join(".config/nextest.toml")).unwrap();
        assert!(config.contains(&format!("default-filter = 'not test(/(^|::){EXHAUSTIVE}/)'")), "{config}");
    }

    #[test]
    fn the_tests_of_every_package_are_found_without_nextest() {
        let names = test_programs(&top()).unwrap();
        assert!(names.contains(&"repository".to_owned()) && names.contains(&"docker_world".to_owned()), "{names:?}");
        assert!(!names.contains(&"docker_bench".to_owned()), "no test of its own: {names:?}");
    }
}
