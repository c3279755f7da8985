//! Reads the record of a run, and every rendering of it.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blackstart_fuzz::record(bytes));
