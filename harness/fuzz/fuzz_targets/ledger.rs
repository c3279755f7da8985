//! Reads the ledger of a run.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blackstart_fuzz::ledger(bytes));
