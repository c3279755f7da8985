//! The harness itself stands still in the middle of a real recovery: its record tells so, and claims nothing of that time.

#[allow(dead_code, reason = "what other whole drills need")]
mod drill_bench;

use std::{fs, thread, time::Duration};

use drill_bench::{Drill, Ended, Room, assert_nothing_left};
use serde_json::Value;

/// How long the program is stopped.
const STOPPED: Duration = Duration::from_secs(3);

/// How much of it must be seen, in microseconds: the timer that notices it ran up to a period before, and signals take their time.
const SEEN_US: f64 = 2_900_000.0;

/// How often the drill is tried until service comes back during the stop: the applications of a busy machine may take longer.
const TRIES: usize = 3;

/// A drill whose recovery misses its target by the seconds that the decision takes. Its requests are few, so that what is due
/// after the stop overloads nobody.
fn scenario(room: &Room) -> String {
    let path = room.scenario("primary-killed");
    let mut text = fs::read_to_string(&path).expect("a scenario");
    for (from, to) in [
        ("rate: 20/s", "rate: 10/s"),
        ("every: 300ms", "every: 200ms"),
        ("decision: {excluded: the standby is promoted without asking anyone}", "decision: {takes: 3s}"),
        ("rto: {within: 30s}", "rto: {within: 2s}"),
    ] {
        assert!(text.contains(from), "{from} in {}", path.display());
        text = text.replace(from, to);
    }
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

/// The value at a pointer, as a number.
fn number(value: &Value, at: &str) -> f64 {
    value.pointer(at).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {at}: {value}"))
}

/// A drill in the middle of whose recovery the program was stopped.
struct Stopped {
    run: String,
    ended: Ended,
    record: Value,
    /// The stop as the harness saw it, in seconds since the fault.
    stall: (f64, f64),
}

/// The standby has just been promoted, and the applications find it within a moment: while nobody of ours looks.
fn stop_in_the_middle_of_a_recovery(room: &Room, out: &str) -> Stopped {
    let file = scenario(room);
    let mut drill = Drill::start(&mut room.command(&["run", &file, "--out", out]), room.path(out));
    drill.wait_for("promote db-b", Duration::ZERO);
    // Without another program in between, which would take its time on a busy machine.
    let own = rustix::process::Pid::from_raw(drill.pid() as i32).expect("a process");
    rustix::process::kill_process(own, rustix::process::Signal::STOP).expect("it is ours");
    thread::sleep(STOPPED);
    drill.signal("CONT");
    let run = drill.run_id();
    let ended = drill.end();
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(room.path(out).join(&run).join(name)).expect("a file of the evidence");
        serde_json::from_str(&text).expect("JSON")
    };
    let (record, observations) = (read("result.json"), read("observations.json"));
    let stalls = observations["stalls_us"].as_array().expect("the stalls").iter();
    let ends = stalls.map(|stall| (number(stall, "/lower"), number(stall, "/upper")));
    let (from_us, to_us) = ends.max_by(|one, other| (one.1 - one.0).total_cmp(&(other.1 - other.0))).expect("a stall");
    assert!(to_us - from_us >= SEEN_US, "the longest stall is one of {} us", to_us - from_us);
    let since_fault = |us: f64| (us - number(&observations, "/fault_us/upper")) / 1e6;
    let stall = (since_fault(from_us), since_fault(to_us));
    Stopped { run, ended, record, stall }
}

// When service comes back is the machine's to say, and a busy one may never let it fall into the stop: no test of the gate.
#[test]
fn exhaustive_a_harness_that_was_stopped_in_the_middle_of_a_recovery_claims_nothing_of_that_time() {
    let room = Room::new("stalled");
    for out in (0..TRIES).map(|number| format!("runs-{number}")) {
        let Stopped { run, ended, record, stall } = &stop_in_the_middle_of_a_recovery(&room, &out);
        assert!(number(record, "/harness/longest_stall_ms") * 1e3 >= SEEN_US, "{}", record["harness"]);
        assert_eq!(record["harness"]["degraded"], true);

        // The target is missed even by the lower end. On a machine that stood still that shows nothing of the system.
        let (lower, upper) = (number(record, "/rto/service/lower"), number(record, "/rto/service/upper"));
        assert!(lower > number(record, "/rto/target"), "{}", record["rto"]);
        let (verdict, reasons) = (record["verdict"].as_str(), record["reasons"].to_string());
        assert_eq!((verdict, ended.status), (Some("inconclusive"), Some(4)), "{reasons}");
        assert!(reasons.contains("the harness itself stalled"), "{reasons}");
        let verified = room.run(&["verify", &room.path(&out).join(run).display().to_string()]);
        assert_eq!(verified.status, Some(0), "{}", verified.stdout);
        assert_nothing_left(&room, run);

        // No bound lies within the stop: service came back before it, or after it, or in it, which is all that is known.
        let said = format!("{} against {stall:?}", record["rto"]["service"]);
        if lower <= stall.0 && stall.0 < upper {
            assert!(stall.1 <= upper, "{said}");
            return;
        }
        assert!(upper <= stall.0 || stall.1 <= lower, "{said}");
        eprintln!("service came back before or after the stop: once more: {said}");
    }
    panic!("service never came back during the stop");
}
