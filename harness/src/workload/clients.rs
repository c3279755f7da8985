//! Clients.
/// Clients.
pub struct Clients;
/// A stream.
pub struct Stream;
