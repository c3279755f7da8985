//! How long things take: drawn from one stream per purpose and node, so that one more node reshuffles nothing else.

use std::{collections::BTreeMap, ops::Range};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::shape::NodeId;
use crate::plan::random::stream;

/// What is drawn, with its range in microseconds (or bytes, for [`BYTES`]).
#[derive(Debug, Clone)]
pub(super) struct Purpose {
    name: &'static str,
    range: Range<u64>,
}

const fn purpose(name: &'static str, from: u64, to: u64) -> Purpose {
    Purpose { name, range: from..to }
}

/// From one node to the next, connection included.
pub(super) const HOP: Purpose = purpose("hop", 250, 700);
/// A transaction, from its first statement to its commit.
pub(super) const WORK: Purpose = purpose("work", 1_500, 5_000);
/// An answer on its way back.
pub(super) const ANSWER: Purpose = purpose("answer", 300, 800);
/// Until a refusal, or a broken connection, is felt.
pub(super) const REFUSAL: Purpose = purpose("refusal", 500, 3_000);
/// Until TCP tries again once a way is open.
pub(super) const RETRANSMIT: Purpose = purpose("retransmit", 1_000, 100_000);
/// Until a connection that nobody answers is given up, and another replica is tried.
pub(super) const REDISPATCH: Purpose = purpose("redispatch", 200_000, 202_000);
/// From a commit to its arrival on a standby, on a free link.
pub(super) const LAG: Purpose = purpose("lag", 1_000, 4_000);
/// What a commit weighs in the log, in bytes.
pub(super) const BYTES: Purpose = purpose("bytes", 2_000, 6_000);
/// From a commit to its sight in the monitor.
pub(super) const SIGHT: Purpose = purpose("sight", 20_000, super::monitor::LONGEST_SIGHT_US);
/// Where in its interval a health check stands.
pub(super) const PHASE: Purpose = purpose("phase", 0, super::health_checks::INTERVAL_US);
/// A question to a node.
pub(super) const QUESTION: Purpose = purpose("question", 1_000, 5_000);
/// An operation or a command that is not modelled.
pub(super) const COMMAND: Purpose = purpose("command", 20_000, 80_000);
/// The start of a node's processes.
pub(super) const START: Purpose = purpose("start", 250_000, 450_000);
/// The kill of a node.
pub(super) const KILL: Purpose = purpose("kill", 80_000, 160_000);
/// A clean shutdown of a node.
pub(super) const STOP: Purpose = purpose("stop", 150_000, 600_000);
/// Pausing and unpausing.
pub(super) const PAUSE: Purpose = purpose("pause", 20_000, 60_000);
/// Putting rules in place at one helper.
pub(super) const RULES: Purpose = purpose("rules", 30_000, 80_000);
/// A look at a node or at a link.
pub(super) const LOOK: Purpose = purpose("look", 1_000, 4_000);
/// Making or removing something.
pub(super) const MAKE: Purpose = purpose("make", 20_000, 150_000);
/// The share, in thousandths, of a call after which its effect is in place.
pub(super) const EFFECT: Purpose = purpose("effect", 100, 900);
/// Until a balancer is ready.
pub(super) const BOOT_BALANCER: Purpose = purpose("boot balancer", 20_000, 60_000);
/// Until a database is ready.
pub(super) const BOOT_DATABASE: Purpose = purpose("boot database", 300_000, 800_000);
/// Until anything else is ready.
pub(super) const BOOT: Purpose = purpose("boot", 50_000, 200_000);
/// A promotion.
pub(super) const PROMOTE: Purpose = purpose("promote", 100_000, 300_000);
/// A change of a server's settings.
pub(super) const SETTING: Purpose = purpose("setting", 40_000, 160_000);
/// The return of a former primary.
pub(super) const REJOIN: Purpose = purpose("rejoin", 900_000, 2_500_000);
/// A backup of the whole cluster.
pub(super) const BACKUP: Purpose = purpose("backup", 1_500_000, 3_000_000);
/// A restore of a server, up to its first write.
pub(super) const RESTORE: Purpose = purpose("restore", 2_500_000, 8_000_000);
/// A snapshot of every disk.
pub(super) const SNAPSHOT: Purpose = purpose("snapshot", 5_000, 60_000);
/// A copy of every disk.
pub(super) const COPY: Purpose = purpose("copy", 300_000, 1_500_000);
/// A snapshot on its way to the remote site.
pub(super) const REPLICATE: Purpose = purpose("replicate", 100_000, 900_000);
/// The removal of everything on a volume.
pub(super) const WIPE: Purpose = purpose("wipe", 80_000, 250_000);

/// The streams of one run.
pub(super) struct Draws {
    seed: u64,
    streams: BTreeMap<(NodeId, &'static str), ChaCha8Rng>,
}

impl Draws {
    /// The streams of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, streams: BTreeMap::new() }
    }

    /// The next draw for a purpose at a node.
    pub(super) fn draw(&mut self, purpose: &Purpose, node: NodeId) -> u64 {
        self.stream(purpose.name, node).random_range(purpose.range.clone())
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.stream("injected failure", 0).random_bool(probability.clamp(0.0, 1.0))
    }

    fn stream(&mut self, name: &'static str, node: NodeId) -> &mut ChaCha8Rng {
        let seed = self.seed;
        self.streams.entry((node, name)).or_insert_with(|| stream(seed, &format!("simulated {name} at node {node}")))
    }
}
