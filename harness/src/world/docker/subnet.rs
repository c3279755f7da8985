//! Which addresses a run takes: a /24 out of 10.128.0.0 to 10.223.255.0, chosen by a hash of the run, clear of what is
//! there already. Two runs that choose the same one at the same moment are told apart by the engine.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use sha2::{Digest, Sha256};

/// How many subnets are tried.
const TRIES: u32 = 50;
/// A host route at least this narrow is kept clear of. A wider one (a VPN that claims all of 10.0.0.0/8, say) gives way
/// to the narrower route that the engine adds.
const NARROW: u8 = 12;

/// A range of IPv4 addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subnet {
    base: u32,
    prefix: u8,
}

impl Subnet {
    fn new(base: u32, prefix: u8) -> Self {
        let subnet = Self { base, prefix };
        Self { base: base & subnet.mask(), prefix }
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }

    /// Whether an address lies in both.
    pub(super) fn overlaps(self, other: Self) -> bool {
        let mask = self.mask() & other.mask();
        self.base & mask == other.base & mask
    }

    /// The address whose last part is this.
    pub(super) fn host(self, host: u8) -> Ipv4Addr {
        Ipv4Addr::from(self.base | u32::from(host))
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let address: Ipv4Addr = address.parse().map_err(|_| ())?;
        match prefix.parse() {
            Ok(prefix @ 0..=32) => Ok(Self::new(address.into(), prefix)),
            _ => Err(()),
        }
    }
}

/// The subnets to try for one network of a run, in order, clear of those taken.
pub(super) fn candidates(run_id: &str, purpose: &str, taken: &[Subnet]) -> Vec<Subnet> {
    let hash = Sha256::digest(format!("{run_id}/{purpose}"));
    let start = u32::from(u16::from_be_bytes([hash[0], hash[1]]));
    let spread = |i: u32| (start + i * 257) % (96 * 256);
    let nth = |i: u32| Subnet::new((10 << 24 | 128 << 16) + (spread(i) << 8), 24);
    let clear = |subnet: &Subnet| !taken.iter().any(|other| other.overlaps(*subnet));
    (0..TRIES).map(nth).filter(clear).collect()
}

/// The subnets that the routes of this machine lead to, as `/proc/net/route` tells them.
pub(super) fn host_routes(table: &str) -> Vec<Subnet> {
    table.lines().skip(1).filter_map(read_route).filter(|route| route.prefix >= NARROW).collect()
}

fn read_route(line: &str) -> Option<Subnet> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let number = |column: &str| u32::from_str_radix(column, 16).ok().map(u32::swap_bytes);
    let base = number(columns.get(1)?)?;
    let mask = number(columns.get(7)?)?;
    Some(Subnet::new(base, u8::try_from(mask.count_ones()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().expect("a subnet")
    }

    #[test]
    fn overlap_is_about_the_wider_one() {
        assert!(subnet("10.128.0.0/16").overlaps(subnet("10.128.7.0/24")));
        assert!(subnet("10.128.7.0/24").overlaps(subnet("0.0.0.0/0")));
        assert!(!subnet("10.128.7.0/24").overlaps(subnet("10.128.8.0/24")));
        assert_eq!(subnet("10.128.7.9/24").to_string(), "10.128.7.0/24");
        assert!("10.1.2.3".parse::<Subnet>().is_err() && "10.1.2.3/33".parse::<Subnet>().is_err());
    }

    #[test]
    fn a_run_takes_the_same_subnet_each_time_and_keeps_clear() {
        let first = candidates("run-1", "nodes", &[]);
        assert_eq!(first, candidates("run-1", "nodes", &[]));
        assert_eq!(first.len(), 50);
        assert_ne!(first[0], candidates("run-1", "edge", &[])[0]);
        let clear = candidates("run-1", "nodes", &first[..1]);
        assert_eq!(clear[0], first[1]);
        assert!(candidates("run-1", "nodes", &[subnet("10.0.0.0/8")]).is_empty());
    }

    #[test]
    fn every_candidate_is_private_and_in_range() {
        for run in 0..200 {
            for candidate in candidates(&format!("run-{run}"), "nodes", &[]) {
                let [a, b, _, d] = candidate.host(0).octets();
                assert!(a == 10 && (128..224).contains(&b) && d == 0, "{candidate}");
            }
        }
    }

    #[test]
    fn routes_are_read_as_the_kernel_writes_them() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     br0\t004D1FAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        assert_eq!(host_routes(table), [subnet("172.31.77.0/24")]);
    }
}
