//! sweep
#[derive(Debug, clap::Args)]
pub struct Args {}
pub fn main(_: &Args) -> u8 {
    0
}
