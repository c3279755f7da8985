//! Records and journals of schema version 1: the words that version 2 renamed, each replaced by the word of today.
//!
//! A record of version 1 is read as one of version 2, so reports, comparisons and audits know one form only.

use serde_json::Value;

/// The version whose words stand on the left.
pub const VERSION: u32 = 1;

/// Kinds of faults, in `faults` and `conditions`.
pub const KINDS: [(&str, &str); 3] =
    [("zone_dark", "zone_outage"), ("cut", "partition"), ("backup_spoiled", "backup_corrupted")];

/// Names of phases, in `phases` and in the timeline.
pub const PHASES: [(&str, &str); 1] = [("judge", "restore-test")];

/// Keys of a backup.
pub const KEYS: [(&str, &str); 1] = [("judgement", "restore_test")];

/// Replaces a word by the one of today, where it was renamed.
pub fn replace(word: &mut String, renamed: &[(&str, &str)]) {
    if let Some((_, now)) = renamed.iter().find(|(was, _)| was == word) {
        (*now).clone_into(word);
    }
}

/// Makes a record of version 1 one of version `to`.
pub fn raise(record: &mut Value, to: u32) {
    for list in ["faults", "conditions"] {
        each(record, list, |fault| replace_value(fault, "kind", &KINDS));
    }
    each(record, "phases", |phase| replace_value(phase, "name", &PHASES));
    each(record, "timeline", |entry| {
        if entry.get("kind").is_some_and(|kind| kind == "phase") {
            replace_value(entry, "text", &PHASES);
        }
    });
    each(record, "backups", |backup| {
        let Some(backup) = backup.as_object_mut() else { return };
        for (was, now) in KEYS {
            if let Some(value) = backup.remove(was) {
                backup.insert(now.to_owned(), value);
            }
        }
    });
    if let Some(version) = record.get_mut("schema_version") {
        *version = to.into();
    }
}

fn each(record: &mut Value, list: &str, change: impl FnMut(&mut Value)) {
    record.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().for_each(change);
}

fn replace_value(of: &mut Value, key: &str, renamed: &[(&str, &str)]) {
    if let Some(Value::String(word)) = of.get_mut(key) {
        replace(word, renamed);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_renamed_word_is_replaced_in_its_place_and_nowhere_else() {
        let mut record = json!({
            "schema_version": 1,
            "faults": [{"kind": "zone_dark", "summary": "cut"}, {"kind": "backup_spoiled"}, {"kind": "kill"}],
            "conditions": [{"kind": "cut"}],
            "phases": [{"name": "judge"}, {"name": "verify"}],
            "timeline": [{"kind": "phase", "text": "judge"}, {"kind": "backup", "text": "judge"}],
            "backups": [{"id": "judgement", "judgement": {"levels": []}}],
        });
        raise(&mut record, 2);
        let expected = json!({
            "schema_version": 2,
            "faults": [{"kind": "zone_outage", "summary": "cut"}, {"kind": "backup_corrupted"}, {"kind": "kill"}],
            "conditions": [{"kind": "partition"}],
            "phases": [{"name": "restore-test"}, {"name": "verify"}],
            "timeline": [{"kind": "phase", "text": "restore-test"}, {"kind": "backup", "text": "judge"}],
            "backups": [{"id": "judgement", "restore_test": {"levels": []}}],
        });
        assert_eq!(record, expected);
    }
}
