//! The network between nodes: partitions and limits, put in place by helpers.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use async_trait::async_trait;
use futures_util::future::join_all;

use super::{
    DockerWorld,
    exec::exec,
    impaired,
    partitions::{self, End, Wanted},
};
use crate::{
    scenario::units::Bandwidth,
    world::{Impairment, Network, Packets, Result, WaysOut, WorldError, WorldErrorKind},
};

/// A port on which nothing listens: a host that is reached says so at once.
const CLOSED_PORT: u16 = 1;
/// How long the engine may take to try it.
const REACH_WITHIN: Duration = Duration::from_secs(10);

/// What to drop, by the helper that does it.
type Drops = BTreeMap<String, Vec<(End, Ipv4Addr)>>;

/// Whether a partition is put in place or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Partition,
    Heal,
}

impl Change {
    const fn reversed(self) -> Self {
        match self {
            Self::Partition => Self::Heal,
            Self::Heal => Self::Partition,
        }
    }
}

impl DockerWorld {
    /// Which helper drops what: the refusing node's own, or else the other's, as packets leave it.
    fn drops(&self, refuses: &BTreeMap<String, Vec<String>>, doing: &str) -> Result<Drops> {
        let mut drops = Drops::new();
        let pairs = refuses.iter().flat_map(|(node, others)| others.iter().map(move |other| (node, other)));
        for (node, other) in pairs {
            let (at, end, towards) = match (self.helper(node), self.helper(other)) {
                (Some(_), _) => (node, End::Arriving, other),
                (None, Some(_)) => (other, End::Leaving, node),
                (None, None) => {
                    let happened = format!("neither {node} nor {other} has a helper");
                    return Err(WorldError::new(WorldErrorKind::NotFound, doing, happened));
                }
            };
            drops.entry(at.clone()).or_default().push((end, self.address(towards, doing)?));
        }
        Ok(drops)
    }

    /// Every helper at once, each in one transaction. Where one fails, the others take theirs back.
    async fn change(&self, drops: &Drops, change: Change, doing: &str) -> Result<()> {
        let all = drops.iter().map(|(node, drops)| self.change_one(node, drops, change, doing));
        let results = join_all(all).await;
        if results.iter().all(Result::is_ok) {
            return Ok(());
        }
        let done = drops.iter().zip(&results).filter(|(_, result)| result.is_ok());
        let undo = done.map(|((node, drops), _)| self.change_one(node, drops, change.reversed(), doing));
        join_all(undo).await;
        results.into_iter().collect()
    }

    async fn change_one(&self, node: &str, drops: &[(End, Ipv4Addr)], change: Change, doing: &str) -> Result<()> {
        let Some(helper) = self.helper(node) else { return Ok(()) };
        let mut slot = helper.lock().await;
        let before = slot.wanted.clone();
        for (end, other) in drops {
            match change {
                Change::Partition => slot.wanted.refuse(*end, *other),
                Change::Heal => slot.wanted.heal(*end, *other),
            }
        }
        let placed = self.place_wanted(node, &mut slot, doing).await;
        if placed.is_err() {
            slot.wanted = before;
        }
        placed
    }

    async fn set_limit(&self, from: &str, to: &str, bandwidth: Option<Bandwidth>, doing: &str) -> Result<()> {
        let other = self.address(to, doing)?;
        let change = |wanted: &mut Wanted| match bandwidth {
            Some(bandwidth) => wanted.limit(other, bandwidth),
            None => wanted.unlimit(other),
        };
        self.want(from, doing, change).await
    }

    /// Changes what is wanted of a node's namespace, and puts it in place; what could not be is not wanted either.
    async fn want(&self, node: &str, doing: &str, change: impl FnOnce(&mut Wanted) + Send) -> Result<()> {
        let helper = self.helper(node).ok_or_else(|| no_helper(node, doing))?;
        let mut slot = helper.lock().await;
        let before = slot.wanted.clone();
        change(&mut slot.wanted);
        let placed = self.place_wanted(node, &mut slot, doing).await;
        if placed.is_err() {
            slot.wanted = before;
        }
        placed
    }

    /// What a command in the namespace of a node says.
    async fn told(&self, node: &str, doing: &str, script: &str) -> Result<String> {
        let helper = self.helper(node).ok_or_else(|| no_helper(node, doing))?;
        let mut slot = helper.lock().await;
        Ok(self.in_namespace(node, &mut slot, doing, script).await?.output)
    }

    fn address(&self, node: &str, doing: &str) -> Result<Ipv4Addr> {
        Ok(self.subnet(doing)?.host(self.host_of(node, doing)?))
    }
}

fn no_helper(node: &str, doing: &str) -> WorldError {
    WorldError::new(WorldErrorKind::NotFound, doing, format!("{node} has no helper"))
}

/// Latency takes a queue that not every kernel has.
fn without_netem(error: WorldError) -> WorldError {
    if !error.happened.contains("qdisc kind is unknown") {
        return error;
    }
    let happened =
        "the kernel of this engine has no netem, which latency takes; leave it out, or run on another kernel";
    WorldError::new(WorldErrorKind::Other, error.doing, happened)
}

fn describe(refuses: &BTreeMap<String, Vec<String>>) -> String {
    let one = |(node, others): (&String, &Vec<String>)| format!("{node} from {}", others.join(", "));
    refuses.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// A connection to a closed port, as bash makes it: refused within the time means that packets went there and back.
fn reach_script(to: Ipv4Addr) -> String {
    format!("timeout 0.3 bash -c 'exec 3<>/dev/tcp/{to}/{CLOSED_PORT}' 2>&1 || echo status $?\n")
}

fn read_reach(output: &str) -> Option<bool> {
    let refused = output.contains("refused");
    let lost = ["status 124", "No route to host", "unreachable", "timed out"].iter().any(|sign| output.contains(sign));
    match (refused, lost, output.trim().is_empty()) {
        (true, ..) | (.., true) => Some(true),
        (_, true, _) => Some(false),
        _ => None,
    }
}

#[async_trait]
impl Network for DockerWorld {
    async fn refuse(&self, refuses: &BTreeMap<String, Vec<String>>) -> Result<()> {
        let doing = format!("put in place the partition of {}", describe(refuses));
        self.change(&self.drops(refuses, &doing)?, Change::Partition, &doing).await
    }

    async fn accept(&self, refuses: &BTreeMap<String, Vec<String>>) -> Result<()> {
        let doing = format!("end the partition of {}", describe(refuses));
        self.change(&self.drops(refuses, &doing)?, Change::Heal, &doing).await
    }

    async fn limit(&self, from: &str, to: &str, bandwidth: Bandwidth) -> Result<()> {
        self.set_limit(from, to, Some(bandwidth), &format!("limit the link from {from} to {to} to {bandwidth}")).await
    }

    async fn unlimit(&self, from: &str, to: &str) -> Result<()> {
        self.set_limit(from, to, None, &format!("end the limit of the link from {from} to {to}")).await
    }

    async fn reaches(&self, from: &str, to: &str) -> Result<bool> {
        let doing = format!("see whether {from} reaches {to}");
        let other = self.address(to, &doing)?;
        let helper = self.helper(from).ok_or_else(|| no_helper(from, &doing))?;
        let mut slot = helper.lock().await;
        if !self.renew(from, &mut slot).await? {
            return Ok(false);
        }
        if slot.is_behind() {
            self.place_wanted(from, &mut slot, &doing).await?;
        }
        // By a command of its own: while it waits, the helper must be free for a partition.
        drop(slot);
        let command = ["bash", "-c", &reach_script(other)].map(str::to_owned);
        let output = exec(&self.docker, &self.run.helper(from), &doing, &command, REACH_WITHIN).await?;
        let unclear = || WorldError::new(WorldErrorKind::Answered, &doing, output.output.trim());
        read_reach(&output.output).ok_or_else(unclear)
    }

    async fn held_back(&self, from: &str, to: &str) -> Result<u64> {
        let doing = format!("see what the link from {from} to {to} holds back");
        let other = self.address(to, &doing)?;
        let helper = self.helper(from).ok_or_else(|| no_helper(from, &doing))?;
        let mut slot = helper.lock().await;
        if !slot.wanted.is_limited(other) {
            return Err(WorldError::new(WorldErrorKind::NotFound, doing, "the link is not limited"));
        }
        let script = partitions::held_back_script(self.address(from, &doing)?, other);
        let output = self.in_namespace(from, &mut slot, &doing, &script).await?;
        let unclear = || WorldError::new(WorldErrorKind::Answered, &doing, output.output.trim());
        partitions::read_held_back(&output.output).ok_or_else(unclear)
    }

    async fn impair(&self, from: &str, to: &str, impairment: Option<Impairment>) -> Result<()> {
        let doing = format!("change what the link from {from} to {to} does to packets");
        let Impairment { loss, duplication, latency, jitter } = impairment.unwrap_or_default();
        let (sender, receiver) = (self.address(from, &doing)?, self.address(to, &doing)?);
        self.want(to, &doing, |wanted| wanted.impaired().lose(sender, loss)).await?;
        let leaving = |wanted: &mut Wanted| {
            wanted.impaired().double(receiver, duplication);
            wanted.impaired().delay(receiver, latency, jitter);
        };
        let placed = self.want(from, &doing, leaving).await;
        if placed.is_err() {
            self.want(to, &doing, |wanted| wanted.impaired().lose(sender, 0.0)).await?;
        }
        placed.map_err(|error| if latency.is_zero() { error } else { without_netem(error) })
    }

    async fn impaired(&self, from: &str, to: &str) -> Result<Packets> {
        let doing = format!("count the packets from {from} to {to}");
        let (sender, receiver) = (self.address(from, &doing)?, self.address(to, &doing)?);
        let arriving = self.told(to, &doing, impaired::COUNT).await?;
        let leaving = self.told(from, &doing, impaired::COUNT).await?;
        let queue = self.told(from, &doing, &partitions::held_back_script(sender, receiver)).await?;
        let lost = impaired::counted(&arriving, "lost", sender);
        let doubled = impaired::counted(&leaving, "doubled", receiver);
        Ok(Packets { lost, doubled, delayed: impaired::delayed(&queue) })
    }

    async fn ways_out(&self, from: &str) -> Result<WaysOut> {
        self.try_ways_out(from).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_counts_as_reached() {
        assert_eq!(read_reach("bash: connect: Connection refused\nstatus 1\n"), Some(true));
        assert_eq!(read_reach(""), Some(true));
        assert_eq!(read_reach("status 124\n"), Some(false));
        assert_eq!(read_reach("bash: connect: No route to host\nstatus 1\n"), Some(false));
        assert_eq!(read_reach("bash: not found\nstatus 127\n"), None);
    }
}
