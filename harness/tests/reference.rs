//! The committed reference pages are those of today's schema.

use std::{fs, path::Path};

use blackstart::scenario::{reference, schema::Kind};

#[test]
fn the_committed_pages_are_current() {
    for (kind, name, command) in [
        (Kind::Scenario, "reference-scenario.md", "blackstart schema --text"),
        (Kind::System, "reference-system.md", "blackstart schema --text system"),
    ] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == reference::page(kind),
            "docs/{name} is out of date: `{command} >docs/{name}` makes it anew"
        );
    }
}
