//! Renderings of a record: one file each.
