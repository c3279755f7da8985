//! A seeded model.
