//! A system that is asked by commands instead of SQL is drilled all the same.

use blackstart::{
    plan,
    scenario::{
        Declared,
        question::{Asked, CommandQuestion, Criterion, Expected, On, Question},
    },
    world::simulated::beyond_the_model,
};
use blackstart_reports::record::Verdict;

use super::stage::{read, run};

fn by_command(run: &[&str], on: Option<On>) -> Question {
    let run = run.iter().map(|word| (*word).to_owned()).collect();
    CommandQuestion { on, database: Some("orders".to_owned()), run }.into()
}

/// The drill, with its survivors and its writer asked for by programs.
fn without_sql(name: &str) -> Declared {
    let mut declared = read(name);
    declared.system.service.survivors = Asked { kind: by_command(&["tokens"], Some(On::Writer)) };
    let orders = declared.system.databases.get_mut("orders").expect("the database of the work");
    orders.is_writer = Some(Criterion { expect: None, kind: by_command(&["takes-writes"], None) });
    declared
}

#[test]
fn survivors_and_the_writer_may_be_asked_for_by_commands() {
    for name in ["order-management/primary-zone-outage", "order-management/primary-zone-outage-async"] {
        let by_sql = run(plan::build(read(name), 7).unwrap()).record;
        let by_command = run(plan::build(without_sql(name), 7).unwrap()).record;
        assert_eq!(by_command.verdict, Verdict::Passed, "{:?}", by_command.reasons);
        assert_eq!(by_command.rpo.map(|rpo| rpo.lost), by_sql.rpo.map(|rpo| rpo.lost));
    }
}

#[test]
fn what_a_program_would_word_needs_containers() {
    let mut declared = without_sql("order-management/primary-zone-outage");
    assert_eq!(beyond_the_model(&plan::build(declared.clone(), 7).unwrap()), Vec::<String>::new());
    let orders = declared.system.databases.get_mut("orders").unwrap();
    let expect = Expected::Contains(vec!["master".to_owned()]);
    orders.is_writer.as_mut().unwrap().expect = Some(expect);
    let reasons = beyond_the_model(&plan::build(declared, 7).unwrap());
    assert_eq!(reasons, ["the model knows no words by which the writer of `orders` is recognised"]);
}
