//! Where the programs of this repository lie that go into images.

use std::path::PathBuf;

use crate::{
    files::is_file_name,
    world::{Result, WorldError, WorldErrorKind},
};

/// The file of a program. They are built together, so it lies beside this one; a test runs from the folder `deps` beside
/// them.
///
/// # Errors
/// Where it is not there.
pub fn find_program(name: &str) -> Result<PathBuf> {
    let doing = || format!("find the program {name}");
    if !is_file_name(name) {
        let happened = "it lies beside `blackstart`, so that it is named without a folder";
        return Err(WorldError::new(WorldErrorKind::NotFound, doing(), happened));
    }
    let own = std::env::current_exe().unwrap_or_default();
    let candidates = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        let happened = format!("it is not beside {}; build it with `cargo build --workspace`", own.display());
        WorldError::new(WorldErrorKind::NotFound, doing(), happened)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_without_a_folder() {
        let refusal = find_program("../../../../../../../../bin/sh").expect_err("it lies elsewhere").to_string();
        assert!(refusal.contains("named without a folder"), "{refusal}");
    }
}
