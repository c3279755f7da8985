//! The record of a drill, how targets and measurements make a verdict, and every rendering of it.
//!
//! A leaf: no runtime, no Docker, no random numbers. What is stored is in [`record`]; what a person or a machine
//! reads is made from it in [`render`]. Stored files are read by way of [`files`].

pub mod files;
pub mod record;
pub mod render;
pub mod safe;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
pub mod selftest;
pub mod verdict;
pub mod version_1;
