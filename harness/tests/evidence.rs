//! The evidence of a run, audited as a stranger would: by the command alone, on a folder that was tampered with.

use std::{fs, path::PathBuf, process::Command};

/// A run of the model, in a folder of its own.
fn evidence(name: &str) -> PathBuf {
    let out = std::env::temp_dir().join(format!("blackstart-evidence-{name}-{}", std::process::id()));
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/order-management/primary-zone-outage-async.yaml");
    let status = Command::new(env!("CARGO_BIN_EXE_blackstart"))
        .args(["run", scenario, "--world", "simulated", "--quiet", "--out"])
        .arg(&out)
        .output()
        .expect("the program runs");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stdout));
    let mut runs = fs::read_dir(&out).expect("the folder of runs");
    runs.next().expect("one run").expect("a folder").path()
}

/// Exit status and what was printed.
fn verify(run: &PathBuf) -> (Option<i32>, String) {
    let done =
        Command::new(env!("CARGO_BIN_EXE_blackstart")).arg("verify").arg(run).output().expect("the program runs");
    (done.status.code(), String::from_utf8_lossy(&done.stdout).into_owned())
}

fn change(run: &std::path::Path, file: &str, from: &str, to: &str) {
    let path = run.join(file);
    let text = fs::read_to_string(&path).expect("a file of the evidence");
    assert!(text.contains(from), "{file} does not hold {from}");
    fs::write(path, text.replacen(from, to, 1)).expect("a change");
}

#[test]
fn untouched_evidence_holds_and_every_tampering_is_found() {
    let run = evidence("tampered");
    assert_eq!(verify(&run).0, Some(0));

    change(&run, "history.jsonl", "\"outcome\":\"ok\"", "\"outcome\":\"refused\"");
    let (status, said) = verify(&run);
    assert_eq!(status, Some(1));
    assert!(said.contains("BROKEN    sums       history.jsonl was changed"), "{said}");
    assert!(said.contains("BROKEN    RPO"), "{said}");
    change(&run, "history.jsonl", "\"outcome\":\"refused\"", "\"outcome\":\"ok\"");
    assert_eq!(verify(&run).0, Some(0));

    fs::write(run.join("added.txt"), "not sealed").expect("a file");
    assert!(verify(&run).1.contains("added.txt was added"));
    fs::remove_file(run.join("added.txt")).expect("its removal");

    fs::remove_file(run.join("plan.txt")).expect("a removal");
    assert!(verify(&run).1.contains("plan.txt is missing"));
    fs::remove_dir_all(run.parent().expect("the folder of runs")).expect("its removal");
}

#[test]
fn a_record_that_tells_more_than_its_observations_is_found_even_with_new_sums() {
    let run = evidence("flattered");
    change(&run, "result.json", "\"stranded\": ", "\"stranded\": 1");
    let sums = Command::new("sh")
        .current_dir(&run)
        .args(["-c", "find . -type f ! -name SHA256SUMS | sed 's|^./||' | sort | xargs sha256sum > SHA256SUMS"])
        .status()
        .expect("new sums");
    assert!(sums.success());
    let (status, said) = verify(&run);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("holds     sums") && said.contains("BROKEN    RPO        stranded: told"), "{said}");
    fs::remove_dir_all(run.parent().expect("the folder of runs")).expect("its removal");
}

#[test]
fn what_is_no_evidence_is_unusable() {
    assert_eq!(verify(&PathBuf::from("/nonexistent")).0, Some(2));
}
