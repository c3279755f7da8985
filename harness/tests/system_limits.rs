//! Limits that the system sets to this program end a run in order: it says what it could not do, and is not killed in the middle.

use std::{fs, path::Path, process::Command};

#[test]
fn a_file_that_may_grow_no_further_ends_a_run_and_does_not_kill_it() {
    let folder = std::env::temp_dir().join(format!("blackstart-limits-{:08x}", rand::random::<u32>()));
    fs::create_dir_all(&folder).expect("a folder");
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/order-management/primary-killed.yaml");
    // In blocks of 512 bytes: the scenario has room, and not all requests have.
    let script = format!(
        "ulimit -f 160; exec {} run {} --world simulated --out runs",
        env!("CARGO_BIN_EXE_blackstart"),
        scenario.display()
    );
    let ran = Command::new("sh").args(["-c", &script]).current_dir(&folder).output().expect("the program");
    let said = [&ran.stdout, &ran.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).concat();
    fs::remove_dir_all(&folder).expect("it goes");
    assert_eq!(ran.status.code(), Some(3), "{said}");
    assert!(said.contains("File too large"), "{said}");
}
