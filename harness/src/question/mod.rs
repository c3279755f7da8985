//! One way of asking: a declared question goes to the nodes that it names, and gives rows.
//!
//! Everything that asks a system comes by here: readiness, checks, survivors, alerts, and who takes writes. What is asked stands
//! in `harness/src/scenario/question/`, one file per kind; the file of the same name here says how.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use blackstart_reports::safe::shorten;
use futures_util::future::join_all;

use crate::{
    plan::Plan,
    scenario::{
        question::{Criterion, On, Question, questions},
        system::Database,
    },
    world::{Questions, Result, Rows, SqlTarget, WorldError, WorldErrorKind},
};

/// How long a server may take to say whether it takes writes; one that is partitioned or paused never does.
const WRITER_WITHIN: Duration = Duration::from_secs(1);

/// A question as it goes to one node.
struct Put<'a> {
    asker: Asker<'a>,
    node: &'a str,
    within: Duration,
}

/// How a kind of question is put to one node.
#[async_trait]
trait Rowed: Sync {
    /// The rows that the node gives. A node that cannot answer, or refuses, is an error.
    async fn rows(&self, put: &Put<'_>) -> Result<Rows>;
}

macro_rules! asked {
    ($($(#[$doc:meta])+ $key:ident: $Question:ident,)+) => {
        $(mod $key;)+

        /// How a kind of question is put.
        fn rowed(question: &Question) -> &dyn Rowed {
            match question {
                $(Question::$Question(it) => it,)+
            }
        }
    };
}
questions!(asked);

/// What one node answers.
#[derive(Debug)]
pub struct Answer {
    /// The node.
    pub node: String,
    /// Its rows, or why there are none.
    pub rows: Result<Rows>,
}

/// What asks: a world, and what the plan knows of its nodes and databases.
#[derive(Clone, Copy)]
pub struct Asker<'a> {
    world: &'a dyn Questions,
    plan: &'a Plan,
    own: Option<&'a str>,
    writer: Option<&'a Mutex<Option<String>>>,
}

impl<'a> Asker<'a> {
    /// What asks the nodes of a plan in a world.
    pub const fn new(world: &'a dyn Questions, plan: &'a Plan) -> Self {
        Self { world, plan, own: None, writer: None }
    }

    /// The same, which asks the server first that took writes when it was last looked for: one that is away costs every full
    /// round its whole patience.
    #[must_use]
    pub const fn remembering(self, writer: &'a Mutex<Option<String>>) -> Self {
        Self { writer: Some(writer), ..self }
    }

    /// Puts a question to one node, whatever place it names.
    ///
    /// # Errors
    /// Where the node cannot be asked, or refuses.
    pub async fn ask_node(&self, node: &str, question: &Question, within: Duration) -> Result<Rows> {
        rowed(question).rows(&Put { asker: *self, node, within }).await
    }

    /// The nodes that a question goes to. One without a place goes to whichever takes writes.
    ///
    /// # Errors
    /// Where it goes to whichever takes writes, and none or several do.
    pub async fn places(&self, question: &Question) -> Result<Vec<String>> {
        let declared = question.declared();
        match declared.on() {
            Some(On::Nodes(nodes)) => Ok(nodes.clone()),
            Some(On::Every) => Ok(self.database(declared.database())?.1.nodes.clone()),
            Some(On::Writer) | None => {
                let (name, _) = self.database(declared.database())?;
                Ok(vec![self.writer(name).await?])
            }
        }
    }

    /// What each of these nodes answers, asked at once.
    pub async fn ask_each(&self, nodes: &[String], question: &Question, within: Duration) -> Vec<Answer> {
        join_all(nodes.iter().map(|node| async move {
            Answer { node: node.clone(), rows: self.ask_node(node, question, within).await }
        }))
        .await
    }

    /// The rows of every node that a question goes to, one after the other.
    ///
    /// # Errors
    /// Where one of them cannot be asked, or refuses.
    pub async fn ask(&self, question: &Question, within: Duration) -> Result<Rows> {
        let places = self.places(question).await?;
        let mut all = Rows::new();
        for answer in self.ask_each(&places, question, within).await {
            all.extend(answer.rows?);
        }
        Ok(all)
    }

    /// Whether a server of a database is what a criterion tells: its answer is as expected, or true where nothing is expected.
    ///
    /// # Errors
    /// Where the server cannot be asked, or says neither true nor false.
    pub async fn is_so(&self, database: &str, node: &str, criterion: &Criterion, within: Duration) -> Result<bool> {
        let asker = Asker { own: Some(database), ..*self };
        let rows = rowed(&criterion.kind).rows(&Put { asker, node, within }).await?;
        match &criterion.expect {
            Some(expected) => Ok(expected.holds(&rows)),
            None => is_true(&rows).ok_or_else(|| {
                let happened = "it must give one row with one cell, true or false";
                WorldError::new(WorldErrorKind::Answered, format!("ask {node}: {}", said(&criterion.kind)), happened)
            }),
        }
    }

    /// Whether each server of a database takes writes, in the order of the declaration.
    ///
    /// # Errors
    /// Where the database does not say how that is recognised: nobody is taken for a writer unasked.
    pub async fn writers(&self, name: &str) -> Result<Vec<(String, Result<bool>)>> {
        let (_, database) = self.database(Some(name))?;
        let is_writer = declared(name, database)?;
        let asked = database
            .nodes
            .iter()
            .map(|node| async move { (node.clone(), self.is_so(name, node, is_writer, WRITER_WITHIN).await) });
        Ok(join_all(asked).await)
    }

    /// Whether a server takes writes.
    ///
    /// # Errors
    /// Where it cannot say, or the database does not say how that is recognised.
    pub async fn is_writer(&self, name: &str, node: &str) -> Result<bool> {
        let (_, database) = self.database(Some(name))?;
        self.is_so(name, node, declared(name, database)?, WRITER_WITHIN).await
    }

    /// Where a question for the writer of a database goes: the one server that takes writes. A database with one server and no
    /// word on its writer has no other; that it takes writes is not said by that.
    ///
    /// # Errors
    /// Where none does, or several do; with what each said.
    pub async fn writer(&self, name: &str) -> Result<String> {
        let (_, database) = self.database(Some(name))?;
        if let (None, [only]) = (&database.is_writer, database.nodes.as_slice()) {
            return Ok(only.clone());
        }
        let known = self.writer.and_then(|writer| writer.lock().unwrap_or_else(PoisonError::into_inner).clone());
        if let Some(node) = known.filter(|node| self.holds_database(name, node))
            && matches!(self.is_writer(name, &node).await, Ok(true))
        {
            return Ok(node);
        }
        let node = only_writer(name, self.writers(name).await?)?;
        if let Some(writer) = self.writer {
            *writer.lock().unwrap_or_else(PoisonError::into_inner) = Some(node.clone());
        }
        Ok(node)
    }

    fn holds_database(&self, name: &str, node: &str) -> bool {
        self.plan.database(name).is_some_and(|database| database.nodes.iter().any(|holder| holder == node))
    }

    /// The database of a name, or the only one.
    ///
    /// # Errors
    /// Where there is none.
    pub fn database(&self, name: Option<&str>) -> Result<(&'a str, &'a Database)> {
        self.plan.database_of(name.or(self.own)).ok_or_else(|| {
            let doing = format!("ask {}", name.unwrap_or("the only database"));
            WorldError::new(WorldErrorKind::NotFound, doing, "no such database is declared")
        })
    }

    /// How a database is asked at a node.
    ///
    /// # Errors
    /// Where there is no such database.
    pub fn target(&self, name: Option<&str>, node: &str) -> Result<SqlTarget> {
        let (name, access) = self.database(name)?;
        Ok(SqlTarget { node: node.to_owned(), database: name.to_owned(), access: access.clone() })
    }
}

/// What an answer says of true and false; nothing where it says neither.
fn is_true(rows: &Rows) -> Option<bool> {
    let [row] = rows.as_slice() else { return None };
    let [Some(cell)] = row.as_slice() else { return None };
    match cell.as_str() {
        "t" | "true" | "1" => Some(true),
        "f" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// A question in a few words, for what was being done when it failed.
fn said(question: &Question) -> String {
    const MOST: usize = 60;
    shorten(&question.declared().in_words(), MOST)
}

fn only_writer(name: &str, said: Vec<(String, Result<bool>)>) -> Result<String> {
    let doing = format!("find which server of {name} takes writes");
    let takes: Vec<&str> =
        said.iter().filter(|(_, it)| matches!(it, Ok(true))).map(|(node, _)| node.as_str()).collect();
    match takes.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            let each = said.iter().map(|(node, it)| match it {
                Ok(_) => format!("{node}: takes none"),
                Err(error) => format!("{node}: {}", error.happened.lines().next().unwrap_or_default()),
            });
            let happened = format!("no server takes writes ({})", each.collect::<Vec<_>>().join("; "));
            Err(WorldError::new(WorldErrorKind::Answered, doing, happened))
        }
        several => Err(WorldError::new(WorldErrorKind::Answered, doing, format!("{} take writes", several.join(", ")))),
    }
}

/// How the writer of a database is recognised.
fn declared<'d>(name: &str, database: &'d Database) -> Result<&'d Criterion> {
    database.is_writer.as_ref().ok_or_else(|| {
        let doing = format!("find which server of {name} takes writes");
        WorldError::new(WorldErrorKind::NotFound, doing, "the database declares no `is_writer`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> WorldError {
        WorldError::new(WorldErrorKind::Answered, "ask", "no route\nto it")
    }

    #[test]
    fn one_writer_is_found_and_otherwise_it_is_told_what_each_server_said() {
        let both = |a, b| only_writer("orders", vec![("db-a".to_owned(), a), ("db-b".to_owned(), b)]);
        assert_eq!(both(Ok(false), Ok(true)).unwrap(), "db-b");
        assert_eq!(both(Err(refused()), Ok(true)).unwrap(), "db-b");
        assert_eq!(both(Ok(true), Ok(true)).unwrap_err().happened, "db-a, db-b take writes");
        let none = both(Ok(false), Err(refused())).unwrap_err().happened;
        assert_eq!(none, "no server takes writes (db-a: takes none; db-b: no route)");
    }

    #[test]
    fn true_and_false_have_several_spellings_and_nothing_else_has_any() {
        let row = |cells: &[&str]| cells.iter().map(|cell| Some((*cell).to_owned())).collect::<Vec<_>>();
        assert_eq!(is_true(&vec![row(&["t"])]), Some(true));
        assert_eq!(is_true(&vec![row(&["0"])]), Some(false));
        for neither in [Vec::new(), vec![row(&["master"])], vec![row(&["t"]), row(&["t"])], vec![row(&["t", "t"])]] {
            assert_eq!(is_true(&neither), None);
        }
    }
}
