//! Reads a system, beside a sound scenario.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blackstart_fuzz::system(bytes));
