//! Packets that are lost, doubled and delayed, as rules for nft and tc, and what was counted of them. Pure.
//!
//! A packet is lost where it arrives: dropped where it leaves, the kernel would tell its sender. It is doubled and delayed where it
//! leaves. Each packet is drawn by itself, by the kernel.

use std::{collections::BTreeMap, fmt::Write, net::Ipv4Addr, time::Duration};

/// Shares are counted in parts of so many.
const PARTS: u32 = 1_000_000;

/// What is to become of packets, by the address at the other end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Impaired {
    /// Of those that come from there, how many parts are lost.
    lost: BTreeMap<Ipv4Addr, u32>,
    /// Of those that go there, how many parts are doubled.
    doubled: BTreeMap<Ipv4Addr, u32>,
    /// By how much those that go there are delayed.
    pub(super) delays: BTreeMap<Ipv4Addr, Delay>,
}

/// A delay of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delay {
    latency: Duration,
    jitter: Duration,
}

impl Delay {
    /// The queue that does it.
    pub(super) fn queue(self) -> String {
        format!("netem delay {}us {}us limit 10000", self.latency.as_micros(), self.jitter.as_micros())
    }
}

fn parts(share: f64) -> u32 {
    (share * f64::from(PARTS)).round() as u32
}

fn put<T>(map: &mut BTreeMap<Ipv4Addr, T>, other: Ipv4Addr, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(other, value)),
        None => drop(map.remove(&other)),
    }
}

impl Impaired {
    /// Loses a share of what comes from another; nothing of it ends that.
    pub(super) fn lose(&mut self, other: Ipv4Addr, share: f64) {
        put(&mut self.lost, other, Some(parts(share)).filter(|parts| *parts > 0));
    }

    /// Doubles a share of what goes to another.
    pub(super) fn double(&mut self, other: Ipv4Addr, share: f64) {
        put(&mut self.doubled, other, Some(parts(share)).filter(|parts| *parts > 0));
    }

    /// Delays what goes to another.
    pub(super) fn delay(&mut self, other: Ipv4Addr, latency: Duration, jitter: Duration) {
        put(&mut self.delays, other, Some(Delay { latency, jitter }).filter(|delay| !delay.latency.is_zero()));
    }

    /// The rules of the chain through which packets arrive.
    pub(super) fn lost_rules(&self) -> String {
        self.lost.iter().fold(String::new(), |mut rules, (other, parts)| {
            let _ = writeln!(
                rules,
                "    ip saddr {other} numgen random mod {PARTS} < {parts} counter drop comment \"lost\""
            );
            rules
        })
    }

    /// A table of its own: only one of the family `ip` can double. It is there only while something is doubled, and replaced
    /// in the same transaction as the others.
    pub(super) fn doubled_table(&self) -> String {
        let away = "add table ip blackstart\ndelete table ip blackstart\n".to_owned();
        if self.doubled.is_empty() {
            return away;
        }
        let chain =
            "table ip blackstart {\n  chain doubled {\n    type filter hook postrouting priority 0; policy accept;\n";
        let rules = self.doubled.iter().fold(away + chain, |mut rules, (other, parts)| {
            let rule = "counter dup to";
            let _ = writeln!(
                rules,
                "    ip daddr {other} numgen random mod {PARTS} < {parts} {rule} {other} comment \"doubled\""
            );
            rules
        });
        rules + "  }\n}\n"
    }
}

/// The command that tells what was counted at one end.
pub(super) const COUNT: &str = "nft list ruleset\n";

/// What nft counted of packets from (`lost`) or to (`doubled`) an address.
pub(super) fn counted(ruleset: &str, what: &str, other: Ipv4Addr) -> u64 {
    let ends = [format!("ip saddr {other} "), format!("ip daddr {other} ")];
    let is_it = |line: &&str| {
        let line = line.trim_start();
        line.contains(&format!("comment \"{what}\"")) && ends.iter().any(|end| line.starts_with(end))
    };
    let packets = |line: &str| line.split("packets ").nth(1)?.split(' ').next()?.parse::<u64>().ok();
    ruleset.lines().filter(is_it).filter_map(packets).sum()
}

/// The packets that went through the queue of a link, as `tc` tells it: `Sent 733428 bytes 506 pkt`.
pub(super) fn delayed(output: &str) -> u64 {
    let packets = |line: &str| line.trim().strip_prefix("Sent ")?.split(' ').nth(2)?.parse::<u64>().ok();
    if !output.contains("netem") {
        return 0;
    }
    output.lines().filter_map(packets).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const B: Ipv4Addr = Ipv4Addr::new(10, 130, 1, 12);

    #[test]
    fn a_share_is_drawn_for_each_packet_and_ends_without_a_trace() {
        let mut wanted = Impaired::default();
        wanted.lose(B, 0.2);
        wanted.double(B, 0.05);
        assert!(wanted.lost_rules().contains("ip saddr 10.130.1.12 numgen random mod 1000000 < 200000 counter drop"));
        assert!(wanted.doubled_table().contains("numgen random mod 1000000 < 50000 counter dup to 10.130.1.12"));
        wanted.lose(B, 0.0);
        wanted.double(B, 0.0);
        assert_eq!(wanted, Impaired::default());
        assert!(!wanted.doubled_table().contains("chain"));
    }

    #[test]
    fn what_was_lost_and_doubled_is_read_from_nft() {
        let ruleset = "table inet blackstart {\n  chain arriving {\n    ip saddr @refused counter packets 9 bytes 9 drop\n    \
                       ip saddr 10.130.1.12 numgen random mod 1000000 < 200000 counter packets 7 bytes 400 drop comment \
                       \"lost\"\n    ip saddr 10.130.1.1 numgen random mod 1000000 < 200000 counter packets 3 bytes 4 drop \
                       comment \"lost\"\n";
        assert_eq!((counted(ruleset, "lost", B), counted(ruleset, "doubled", B)), (7, 0));
    }

    #[test]
    fn what_was_delayed_is_read_from_tc() {
        assert_eq!(delayed("qdisc netem 10c: parent 1:c limit 10000\n Sent 733428 bytes 506 pkt (dropped 2)\n"), 506);
        assert_eq!(delayed("Error"), 0);
    }
}
