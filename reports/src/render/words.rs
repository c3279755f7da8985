//! The words of a report, and the tone that a colour may underline. Colour never says what a word does not.

use crate::record::{Endpoint, Record, Status, TargetVerdict, Verdict, World};

/// What every rendering of a simulated run carries.
pub const SIMULATED_MARK: &str = "SIMULATED, not evidence";

/// How a word is meant, for whoever may colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Not as it should be.
    Bad,
    /// Of little weight.
    Quiet,
    /// No tone at all.
    Plain,
}

/// The mark of a simulated run, or nothing.
pub(super) const fn mark(record: &Record) -> Option<&'static str> {
    match record.world {
        World::Simulated => Some(SIMULATED_MARK),
        World::Docker => None,
    }
}

/// The verdict, in capitals.
pub(super) const fn verdict(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Passed => ("PASSED", Tone::Good),
        Verdict::Failed => ("FAILED", Tone::Bad),
        Verdict::Inconclusive => ("INCONCLUSIVE", Tone::Warn),
        Verdict::CouldNotRun => ("COULD NOT RUN", Tone::Warn),
    }
}

/// What a verdict says about the system, in one sentence.
pub(super) const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "Every target was met at its upper bound, and no level failed.",
        Verdict::Failed => "A target was missed at its lower bound, or a level failed.",
        Verdict::Inconclusive => {
            "The measurement cannot tell whether the system meets its targets. This is not a pass."
        }
        Verdict::CouldNotRun => "The drill did not run to its end. This says nothing about the system.",
    }
}

/// The word for the outcome of a check.
pub const fn status_word(outcome: Status) -> &'static str {
    status(outcome).0
}

/// The outcome of a check.
pub(super) const fn status(status: Status) -> (&'static str, Tone) {
    match status {
        Status::Passed => ("passed", Tone::Good),
        Status::Tolerated => ("tolerated", Tone::Warn),
        Status::Failed => ("failed", Tone::Bad),
        Status::NotReached => ("not reached", Tone::Warn),
        Status::NotDeclared => ("not declared", Tone::Quiet),
        Status::Error => ("error", Tone::Bad),
    }
}

/// The outcome of a level as one sign, explained by [`MARKS`].
pub(super) const fn sign(status: Status) -> char {
    match status {
        Status::Passed => '✓',
        Status::Tolerated => '~',
        Status::Failed => '✗',
        Status::NotReached => '?',
        Status::NotDeclared => '·',
        Status::Error => '!',
    }
}

/// What the signs mean.
pub(super) const MARKS: &str = "levels 1 to 6: ✓ passed  ~ tolerated  ✗ failed  ! error  ? not reached  · not declared";

/// How a measurement stands against its target.
pub(super) const fn target(verdict: TargetVerdict) -> (&'static str, Tone) {
    match verdict {
        TargetVerdict::Passed => ("passed", Tone::Good),
        TargetVerdict::Failed => ("failed", Tone::Bad),
        TargetVerdict::Inconclusive => ("inconclusive", Tone::Warn),
        TargetVerdict::NotExercised => ("not exercised", Tone::Warn),
        TargetVerdict::NotDeclared => ("no target", Tone::Quiet),
    }
}

/// The world, in words.
pub(super) const fn world(world: World) -> &'static str {
    match world {
        World::Docker => "docker (real containers)",
        World::Simulated => "simulated (a seeded model)",
    }
}

/// The key of a recovery time in the record.
pub(super) const fn endpoint_key(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Service => "rto.service",
        Endpoint::Recovery => "rto.recovery",
        Endpoint::Verified => "rto.verified",
    }
}
