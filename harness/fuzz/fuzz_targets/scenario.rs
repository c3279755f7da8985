//! Reads a scenario, beside a sound system.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| blackstart_fuzz::scenario(bytes));
