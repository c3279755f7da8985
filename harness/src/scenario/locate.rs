//! Where a key stands in a file.
