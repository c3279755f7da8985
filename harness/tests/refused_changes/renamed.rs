//! Words that were renamed: each is refused where it is still written, at its line, with the word of today.

use blackstart::scenario::{
    Refusals,
    renamed::{Form, RENAMED},
};

use super::read_changed;

/// For each renamed word in the order of the table: a scenario, and a text of it, or of its system, before and after.
const ROWS: [(&str, &str, &str); RENAMED.len()] = [
    ("broken/fails-backup-corrupted", "backup_corrupted: {", "backup_spoiled: {"),
    (
        "order-management/split-brain-refused",
        "zone_outage: {zone: a, by: partitioned}",
        "cut: {refuses: {db-a: [db-b]}}",
    ),
    ("order-management/backups-tested", "restore_test: true", "judge_backups: true"),
    ("process-cell/exports-tested", "corrupt: &corrupt", "spoil: &corrupt"),
    ("order-management/standby-zone-outage", "zone_outage: {", "zone_dark: {"),
    (
        "process-cell/nothing-broken",
        "    question: {command: {on: documents, run: [orderflow, audit]}}",
        "    command: {on: documents, run: [orderflow, audit]}",
    ),
    ("process-cell/nothing-broken", MANAGER, "    http: {on: [manager, documents], port: 8080, path: /status}"),
    (
        "order-management/nothing-broken",
        "    question: {sql: {on: monitor-db, database: monitor, query: select 1}, expect: {value: \"1\"}}",
        "    sql: {on: monitor-db, database: monitor, query: select 1, value: \"1\"}",
    ),
    ("order-management/split-brain-refused", "by: partitioned", "by: cut-off"),
    ("order-management/standby-zone-outage", "by: paused", "by: frozen"),
    ("order-management/backups-tested", "role: backup-repository", "role: vault"),
    ("order-management/backups-tested", "${repository}", "${vault}"),
];

/// A check of the cell.
const MANAGER: &str = "    question: {http: {on: [manager, documents], port: 8080, path: /status}, expect: {contains: ['\"connected\":true']}}";

#[test]
fn each_renamed_word_is_refused_with_its_line_and_the_word_of_today() {
    for (renamed, (name, from, to)) in RENAMED.iter().zip(ROWS) {
        let is_moved = renamed.form == Form::Moved;
        let is_gone = is_moved || !from.contains(renamed.was);
        assert!(to.contains(renamed.was) && is_gone, "{to} has the word as it was");
        let Refusals(all) = read_changed(name, &|text| text.replacen(from, to, 1)).expect_err(to);
        // The system is read from a copy, whose root does not hold the files that it names.
        let found: Vec<_> = all.iter().filter(|it| !it.problem.contains("lies outside of")).collect();
        let [refusal] = found[..] else { panic!("{to}: one refusal, and no other: {found:#?}") };
        let words = format!("{}; {}", refusal.problem, refusal.mend);
        let demanded = match renamed.form {
            Form::Placeholder => format!("write `${{{}}}`", renamed.is),
            Form::Moved => format!("write `{}: {{{}: {{...}}, expect: {{...}}}}`", renamed.is, renamed.was),
            Form::Key | Form::Word => format!("`{}` was renamed to `{1}`; write `{1}`", renamed.was, renamed.is),
        };
        assert!(words.contains(&demanded), "{refusal}");
        let (line, _) = refusal.position.expect("a position");
        let text = refusal.text.as_deref().expect("the text of the file");
        assert!(text.lines().nth(line - 1).is_some_and(|line| line.contains(to)), "{refusal}");
    }
}
