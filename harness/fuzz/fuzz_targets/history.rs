//! Reads the history of a run, and what is measured from it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blackstart_fuzz::history(bytes));
