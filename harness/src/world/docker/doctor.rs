//! What an engine can do.
