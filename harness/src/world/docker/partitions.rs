//! What a helper must have put in place in its node's network namespace, and the script that does it. Pure.
//!
//! The rules are always written whole, as one nft transaction that replaces our own table: what is wanted is counted
//! here, so overlapping partitions nest, and a namespace that is new after a restart gets all of it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    net::Ipv4Addr,
};

use super::impaired::Impaired;
use crate::scenario::units::Bandwidth;

/// The largest packet that leaves by a slowed device. A bigger one would leave in one piece and make the link jump.
const LARGEST_PACKET_BYTES: u32 = 3000;
/// What a device sends in one piece where nobody slows it.
const USUAL_PACKET_BYTES: u32 = 65536;

/// What a link carries that is only delayed.
const UNLIMITED_BITS: u64 = 10_000_000_000;

/// What is wanted of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    refused: BTreeMap<Ipv4Addr, u32>,
    shunned: BTreeMap<Ipv4Addr, u32>,
    limits: BTreeMap<Ipv4Addr, Bandwidth>,
    impaired: Impaired,
}

/// At which end of a link packets are dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// As they arrive from the other.
    Arriving,
    /// As they leave towards the other.
    Leaving,
}

impl Wanted {
    /// Whether nothing is wanted.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Counts one more partition.
    pub(super) fn refuse(&mut self, end: End, other: Ipv4Addr) {
        *self.side(end).entry(other).or_default() += 1;
    }

    /// Counts one partition less.
    pub(super) fn heal(&mut self, end: End, other: Ipv4Addr) {
        let side = self.side(end);
        match side.get_mut(&other) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(side.remove(&other)),
        }
    }

    /// Slows the link to another.
    pub(super) fn limit(&mut self, other: Ipv4Addr, bandwidth: Bandwidth) {
        self.limits.insert(other, bandwidth);
    }

    /// Ends that.
    pub(super) fn unlimit(&mut self, other: Ipv4Addr) {
        self.limits.remove(&other);
    }

    /// What is to become of packets from and to others.
    pub(super) const fn impaired(&mut self) -> &mut Impaired {
        &mut self.impaired
    }

    /// Whether the link to another is slowed.
    pub(super) fn is_limited(&self, other: Ipv4Addr) -> bool {
        self.limits.contains_key(&other)
    }

    /// The links that have a queue of their own.
    fn shaped(&self) -> BTreeSet<Ipv4Addr> {
        self.limits.keys().chain(self.impaired.delays.keys()).copied().collect()
    }

    fn side(&mut self, end: End) -> &mut BTreeMap<Ipv4Addr, u32> {
        match end {
            End::Arriving => &mut self.refused,
            End::Leaving => &mut self.shunned,
        }
    }

    /// The shell script that turns what is in place (`before`) into what is wanted, in a namespace whose address in
    /// the nodes' network is `own`.
    pub(super) fn script(&self, before: &Self, own: Ipv4Addr) -> String {
        let slowing = self.limits != before.limits || self.impaired.delays != before.impaired.delays;
        let mut script = String::new();
        if slowing {
            script += &self.slow_script(own);
        }
        script += &format!("nft -f - <<'RULES'\n{}RULES\n", self.rules());
        if slowing {
            script += &self.unslow_script(before);
        }
        script
    }

    fn rules(&self) -> String {
        let mut slowed = String::new();
        for other in self.shaped() {
            let _ = writeln!(slowed, "    ip daddr {other} meta priority set {}", class(other));
        }
        format!(
            "add table inet blackstart\n\
             delete table inet blackstart\n\
             table inet blackstart {{\n\
             {}{}  chain arriving {{\n    type filter hook input priority 0; policy accept;\n    \
             ip saddr @refused counter drop\n{lost}  }}\n  \
             chain leaving {{\n    type filter hook output priority 0; policy accept;\n    \
             ip daddr @shunned counter drop\n  }}\n  \
             chain slowed {{\n    type filter hook postrouting priority 0; policy accept;\n{slowed}  }}\n}}\n{doubled}",
            set("refused", &self.refused),
            set("shunned", &self.shunned),
            lost = self.impaired.lost_rules(),
            doubled = self.impaired.doubled_table(),
        )
    }

    fn slow_script(&self, own: Ipv4Addr) -> String {
        let mut script = device(own);
        if !self.shaped().is_empty() {
            let _ = writeln!(script, "ip link set dev $dev gso_max_size {LARGEST_PACKET_BYTES}");
            script += "tc qdisc show dev $dev root | grep -q 'htb 1:' || tc qdisc add dev $dev root handle 1: htb\n";
        }
        for other in self.shaped() {
            let class = class(other);
            let bits = self.limits.get(&other).map_or(UNLIMITED_BITS, |bandwidth| bandwidth.bits_per_second());
            let (number, leaf) = match self.impaired.delays.get(&other) {
                Some(delay) => (DELAYING, delay.queue()),
                None => (SLOWING, format!("bfifo limit {}", (bits / 16).max(32 * 1024))),
            };
            let _ = writeln!(
                script,
                "tc class replace dev $dev parent 1: classid {class} htb rate {bits}bit burst 4k cburst 4k\n\
                 tc qdisc replace dev $dev parent {class} handle {}: {leaf}",
                queue(number, other)
            );
        }
        script
    }

    fn unslow_script(&self, before: &Self) -> String {
        let shaped = self.shaped();
        if shaped.is_empty() {
            return format!("tc qdisc del dev $dev root\nip link set dev $dev gso_max_size {USUAL_PACKET_BYTES}\n");
        }
        let gone = before.shaped().into_iter().filter(|other| !shaped.contains(other));
        let end = |other: Ipv4Addr| {
            let class = class(other);
            format!("tc qdisc del dev $dev parent {class}\ntc class del dev $dev classid {class}\n")
        };
        gone.map(end).collect()
    }
}

/// The device that holds an address, as a shell variable. Which number it has depends on the order of the networks.
fn device(own: Ipv4Addr) -> String {
    format!("set -- $(ip -o -4 addr show to {own}); dev=$2\n")
}

fn set(name: &str, members: &BTreeMap<Ipv4Addr, u32>) -> String {
    let list: Vec<String> = members.keys().map(Ipv4Addr::to_string).collect();
    let elements = if list.is_empty() { String::new() } else { format!(" elements = {{ {} }}", list.join(", ")) };
    format!("  set {name} {{ type ipv4_addr;{elements} }}\n")
}

/// The traffic class of the link to an address. Numbers of classes are hexadecimal.
fn class(other: Ipv4Addr) -> String {
    format!("1:{:x}", other.octets()[3])
}

/// The numbers of queues by their kind: one that is replaced by another kind needs another number.
const SLOWING: u32 = 0x100;
const DELAYING: u32 = 0x200;

fn queue(number: u32, other: Ipv4Addr) -> String {
    format!("{:x}", number + u32::from(other.octets()[3]))
}

/// The command that asks for what the link to another holds back.
pub(super) fn held_back_script(own: Ipv4Addr, other: Ipv4Addr) -> String {
    format!("{}tc -s qdisc show dev $dev parent {}\n", device(own), class(other))
}

/// What that command said: the bytes that wait, and for every packet that found the queue full, one packet's worth.
pub(super) fn read_held_back(output: &str) -> Option<u64> {
    const PACKET_BYTES: u64 = 1500;
    let after = |word: &str| output.split(word).nth(1).map(|rest| rest.trim_start());
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|n| n.parse::<u64>().ok());
    let dropped = number(after("dropped")?)?;
    let backlog = after("backlog")?;
    let scale = match backlog.trim_start_matches(|c: char| c.is_ascii_digit()).chars().next() {
        Some('K') => 1024,
        Some('M') => 1024 * 1024,
        _ => 1,
    };
    Some(number(backlog)? * scale + dropped * PACKET_BYTES)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const OWN: Ipv4Addr = Ipv4Addr::new(10, 130, 1, 11);
    const B: Ipv4Addr = Ipv4Addr::new(10, 130, 1, 12);

    #[test]
    fn overlapping_partitions_nest() {
        let mut wanted = Wanted::default();
        wanted.refuse(End::Arriving, B);
        wanted.refuse(End::Arriving, B);
        wanted.heal(End::Arriving, B);
        assert!(wanted.rules().contains("set refused { type ipv4_addr; elements = { 10.130.1.12 } }"));
        wanted.heal(End::Arriving, B);
        assert!(wanted.is_empty());
        wanted.heal(End::Arriving, B);
        assert!(wanted.is_empty(), "healing what is whole does nothing");
    }

    #[test]
    fn a_partition_is_one_transaction_and_leaves_links_alone() {
        let mut wanted = Wanted::default();
        wanted.refuse(End::Arriving, B);
        wanted.refuse(End::Leaving, B);
        let script = wanted.script(&Wanted::default(), OWN);
        assert_eq!(script.matches("nft -f").count(), 1);
        assert!(!script.contains("tc "));
        assert!(script.contains("ip saddr @refused counter drop"));
        assert!(script.contains("ip daddr @shunned counter drop"));
    }

    #[test]
    fn the_last_limit_takes_everything_away() {
        let mut wanted = Wanted::default();
        wanted.limit(B, "400kbit/s".parse().expect("a bandwidth"));
        let put = wanted.script(&Wanted::default(), OWN);
        assert!(put.contains("classid 1:c htb rate 400000bit") && put.contains("meta priority set 1:c"), "{put}");
        let end = Wanted::default().script(&wanted, OWN);
        assert!(end.contains("tc qdisc del dev $dev root") && !end.contains("priority set"), "{end}");
    }

    #[test]
    fn a_delay_stands_beside_a_limit_and_ends_alone() {
        let mut wanted = Wanted::default();
        wanted.impaired().delay(B, Duration::from_millis(50), Duration::from_millis(5));
        let put = wanted.script(&Wanted::default(), OWN);
        assert!(
            put.contains("classid 1:c htb rate 10000000000bit") && put.contains("netem delay 50000us 5000us"),
            "{put}"
        );
        let mut limited = wanted.clone();
        limited.limit(B, "400kbit/s".parse().expect("a bandwidth"));
        let both = limited.script(&wanted, OWN);
        assert!(both.contains("rate 400000bit") && both.contains("netem"), "{both}");
        let mut alone = limited.clone();
        alone.impaired().delay(B, Duration::ZERO, Duration::ZERO);
        let left = alone.script(&limited, OWN);
        assert!(left.contains("bfifo") && !left.contains("netem") && !left.contains("class del"), "{left}");
    }

    #[test]
    fn what_a_link_holds_back_is_read_from_tc() {
        let output = "qdisc bfifo 10c: parent 1:c limit 32Kb\n Sent 733428 bytes 506 pkt (dropped 2, overlimits 0 \
                      requeues 0) \n backlog 57532b 19p requeues 0\n";
        assert_eq!(read_held_back(output), Some(57532 + 3000));
        assert_eq!(read_held_back(&output.replace("57532b", "91Kb")), Some(91 * 1024 + 3000));
        assert_eq!(read_held_back("Error"), None);
    }
}
