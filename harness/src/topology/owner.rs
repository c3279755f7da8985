//! Who owns a run, so that a sweep never touches one that lives.

use std::{fs, io, os::unix::fs::MetadataExt};

/// The mark of this process: boot, process namespace, time namespace, process and its start time. A number of a process
/// alone would be taken again after a restart, and means nothing in another namespace; a start time is told by the clock
/// of whoever asks, which in another time namespace is another one.
pub fn this_process() -> String {
    let pid = std::process::id();
    let [processes, time] = [namespace("pid"), namespace("time")];
    [boot_id(), processes, time, pid.to_string(), start_time(pid).unwrap_or_default()].join("/")
}

/// What can be said of an owner from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerState {
    /// Its process runs.
    Alive,
    /// Its process is gone.
    Gone,
    /// It is of another machine or process namespace: nothing can be said.
    Elsewhere,
}

/// Whether an owner still lives. Where that cannot be told for certain, it is *elsewhere*: another boot of this machine
/// and another machine look alike, as does a machine without `/proc`; only some of those would be safe to call gone.
pub fn state(owner: &str) -> OwnerState {
    let parts: Vec<&str> = owner.split('/').collect();
    let [boot, processes, time, pid, started] = parts[..] else { return OwnerState::Elsewhere };
    let is_known = [boot, processes, time, started].iter().all(|part| !part.is_empty());
    if !is_known || boot != boot_id() || processes != namespace("pid") || time != namespace("time") {
        return OwnerState::Elsewhere;
    }
    match pid.parse().ok().and_then(start_time) {
        Some(now) if now == started => OwnerState::Alive,
        Some(_) => OwnerState::Gone,
        None if hides_processes() => OwnerState::Elsewhere,
        None => OwnerState::Gone,
    }
}

/// Whether the processes of other users may run without being seen from here (`hidepid`).
fn hides_processes() -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    !is_root && mounts.lines().any(hides)
}

fn hides(mount: &str) -> bool {
    let fields: Vec<&str> = mount.split(' ').collect();
    let [_, "/proc", "proc", options, ..] = fields[..] else { return false };
    options.split(',').filter_map(|option| option.strip_prefix("hidepid=")).any(|how| !matches!(how, "0" | "off"))
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The number of a namespace of this process; `none` where the kernel has no such namespaces, empty where it does not tell.
fn namespace(kind: &str) -> String {
    match fs::read_link(format!("/proc/self/ns/{kind}")) {
        Ok(link) => link.to_string_lossy().chars().filter(char::is_ascii_digit).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::exists("/proc/self/ns").unwrap_or(false) => {
            "none".to_owned()
        }
        Err(_) => String::new(),
    }
}

/// When a process started, in ticks since boot; none if there is no such process, or it is dead and not yet reaped.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program stands in brackets and can hold blanks; what follows it is split by blanks.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let is_dead = matches!(fields.first(), Some(&"Z" | &"X"));
    if is_dead { None } else { fields.get(19).map(|field| (*field).to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_owner_is_alive_and_a_dead_one_gone() {
        let mine = this_process();
        assert_eq!(state(&mine), OwnerState::Alive);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let dead = mine.replace(&format!("/{}/", std::process::id()), &format!("/{}/", child.id()));
        child.wait().unwrap();
        assert_eq!(state(&dead), OwnerState::Gone);
        assert_eq!(state("other-boot/1/2/3/4"), OwnerState::Elsewhere);
        assert_eq!(state("nonsense"), OwnerState::Elsewhere);
    }

    #[test]
    fn what_cannot_be_known_is_never_called_gone() {
        assert_eq!(state("////"), OwnerState::Elsewhere);
        assert_eq!(state(&format!("///{}/", std::process::id())), OwnerState::Elsewhere);
        assert!(hides("proc /proc proc rw,nosuid,hidepid=2 0 0"));
        assert!(hides("proc /proc proc rw,hidepid=invisible,gid=4 0 0"));
        assert!(!hides("proc /proc proc rw,nosuid,hidepid=off 0 0"));
        assert!(!hides("proc /proc proc rw,nosuid 0 0"));
    }

    #[test]
    fn the_clock_of_another_time_namespace_tells_nothing() {
        let mine = this_process();
        let parts: Vec<&str> = mine.split('/').collect();
        let [boot, processes, time, pid, started] = parts[..] else { panic!("five parts: {mine}") };
        assert!(!time.is_empty());
        let elsewhere = [boot, processes, "1", pid, started].join("/");
        assert_eq!(state(&elsewhere), OwnerState::Elsewhere);
    }

    /// The same, seen from a namespace whose clock runs a day ahead: there this process seems to have started another time.
    #[test]
    fn an_owner_is_not_called_gone_from_a_time_namespace_of_another_clock() {
        if let Ok(owner) = std::env::var("OWNER_TO_JUDGE") {
            println!("it is {:?}", state(&owner));
            return;
        }
        let test = "topology::owner::tests::an_owner_is_not_called_gone_from_a_time_namespace_of_another_clock";
        let said = std::process::Command::new("unshare")
            .args(["--time", "--boottime", "86400", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("OWNER_TO_JUDGE", this_process())
            .output();
        match said {
            Ok(said) if said.status.success() => {
                let said = String::from_utf8_lossy(&said.stdout).into_owned();
                assert!(said.contains("it is Elsewhere"), "{said}");
            }
            other => eprintln!("skipped: a time namespace cannot be made here: {other:?}"),
        }
    }
}
