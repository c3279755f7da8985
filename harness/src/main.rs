//! The command `blackstart`.

use std::process::ExitCode;

fn main() -> ExitCode {
    blackstart::cli::main()
}
