//! How much of everything is asked for on the command line.

use crate::{
    chosen,
    scenario::{Ending, Scenario},
};

/// What `ci/test --help` says.
pub const HELP: &str = "\
Every test of this repository, and then real drills, each of which must end as its scenario declares.

  ci/test                 the gate: format, lint, tests, tests on Docker, every scenario checked, and a fixed set of real
                          drills. At most 15 minutes on two cores from a fresh clone, 12 once it is built
  ci/test --all           for a release: the gate, the tests that are too long for it, every drill, every self-test
  ci/test --system NAME   every drill and the self-test of one system: before a change to it is called done
  ci/test --no-drills     what needs no Docker engine; says what it left out, and ends with 3

NAME is that of a folder under scenarios/ and of a file under fixtures/systems/. Which drills belong to the gate, and why,
stands in ci/gate/src/chosen.rs. Tests whose names begin with `exhaustive_` do not: see .config/nextest.toml.

One drill runs for every two processors, as it measures whatever else they do. One that
came to no verdict (inconclusive, or it could not run) is run once more, alone, and the table says so. A verdict about the
system is never asked for twice.

Each run appends a line to ${XDG_STATE_HOME:-~/.local/state}/blackstart/gate: commit, clean or dirty, seconds, passed or
failed, and which of the above it was where it was not the gate.

Exit status: 0 all of it ran and passed, 1 something failed, 2 unusable arguments, 3 something could not run, and nothing
that ran failed.
";

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Gate,
    All,
    /// The drills and the self-test of the system of this name.
    System(String),
    /// What needs no engine.
    WithoutDrills,
}

/// What the arguments ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Run(Scope),
    Help,
    Unusable,
}

/// What these arguments, without the program's name, ask for.
pub fn asked(arguments: &[String]) -> Asked {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Asked::Run(Scope::Gate),
        ["--all"] => Asked::Run(Scope::All),
        ["--no-drills"] => Asked::Run(Scope::WithoutDrills),
        ["--system", name] if !name.starts_with('-') => Asked::Run(Scope::System((*name).to_owned())),
        ["-h" | "--help"] => Asked::Help,
        _ => Asked::Unusable,
    }
}

impl Scope {
    /// As the log tells it. The gate has no name there, so that nothing else can be taken for it.
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Gate => None,
            Self::All => Some("all".to_owned()),
            Self::System(name) => Some(format!("system:{name}")),
            Self::WithoutDrills => Some("no-drills".to_owned()),
        }
    }

    /// Whether format, lint and tests belong to it.
    pub fn has_tests(&self) -> bool {
        !matches!(self, Self::System(_))
    }

    /// Whether it checks that this scenario is sound, or is refused.
    pub fn checks(&self, scenario: &Scenario) -> bool {
        self.is_about(&scenario.system)
    }

    /// Whether it runs this scenario as a real drill.
    pub fn drills(&self, scenario: &Scenario) -> bool {
        let is_in = match self {
            Self::Gate => chosen::place(&scenario.file).is_some(),
            Self::All | Self::System(_) => self.is_about(&scenario.system),
            Self::WithoutDrills => false,
        };
        is_in && scenario.ending != Ending::Refused
    }

    /// Whether it runs the whole self-test of this system.
    pub fn tests_itself(&self, system: &str) -> bool {
        matches!(self, Self::All | Self::System(_)) && self.is_about(system)
    }

    /// How many drills run at a time on so many processors: a drill measures whatever else they do, and keeps two busy now and
    /// then. Two on two processors made a quarter of them inconclusive.
    pub fn at_a_time(processors: usize) -> usize {
        (processors / 2).max(1)
    }

    fn is_about(&self, system: &str) -> bool {
        !matches!(self, Self::System(name) if name != system)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Asked {
        asked(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    fn scenario(file: &str, system: &str) -> Scenario {
        Scenario::of(file, &format!("system: ../../fixtures/systems/{system}.yaml\n"))
    }

    #[test]
    fn the_arguments_ask_for_one_thing() {
        assert_eq!(of(&[]), Asked::Run(Scope::Gate));
        assert_eq!(of(&["--system", "shop"]), Asked::Run(Scope::System("shop".into())));
        assert_eq!((of(&["-h"]), of(&["--help"])), (Asked::Help, Asked::Help));
        for unusable in [&["--system"][..], &["--system", "--all"], &["--all", "--no-drills"], &["shop"]] {
            assert_eq!(of(unusable), Asked::Unusable, "{unusable:?}");
        }
    }

    #[test]
    fn only_the_gate_has_no_name_in_the_log() {
        assert_eq!(Scope::Gate.name(), None);
        let others = [Scope::All, Scope::System("shop".into()), Scope::WithoutDrills];
        assert_eq!(others.map(|scope| scope.name().unwrap()), ["all", "system:shop", "no-drills"]);
    }

    #[test]
    fn a_system_is_drilled_with_what_must_fail_and_tests_itself() {
        let shop = Scope::System("shop".into());
        assert!(shop.drills(&scenario("scenarios/shop/zone-lost.yaml", "shop")));
        assert!(shop.drills(&scenario("scenarios/broken/fails-late.yaml", "shop")));
        assert!(!shop.drills(&scenario("scenarios/broken/fails-late.yaml", "mill")));
        assert!(shop.tests_itself("shop") && !shop.tests_itself("mill") && !shop.has_tests());
    }

    #[test]
    fn the_gate_runs_what_was_chosen_and_checks_everything() {
        let (chosen, other) = (scenario(chosen::GATE[0].0, "shop"), scenario("scenarios/shop/other.yaml", "shop"));
        assert!(Scope::Gate.drills(&chosen) && !Scope::Gate.drills(&other) && Scope::Gate.checks(&other));
        assert!(Scope::All.drills(&other) && !Scope::WithoutDrills.drills(&chosen));
        assert!(!Scope::Gate.tests_itself("shop") && Scope::All.tests_itself("shop"));
    }

    #[test]
    fn where_drills_measure_they_have_two_processors_each() {
        assert_eq!([1, 2, 8].map(Scope::at_a_time), [1, 1, 4]);
    }

    #[test]
    fn what_must_be_refused_is_checked_and_never_drilled() {
        let refused = scenario("scenarios/broken/refused-typo.yaml", "shop");
        assert!(Scope::All.checks(&refused) && !Scope::All.drills(&refused));
    }
}
