//! The rules that a well-formed declaration can still break.
