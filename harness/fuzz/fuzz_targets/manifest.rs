//! Reads the sums of a run's evidence.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blackstart_fuzz::manifest(bytes));
