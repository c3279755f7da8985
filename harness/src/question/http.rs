//! A path over HTTP, and the rows in its answer.

use blackstart_reports::safe::shorten;
use serde_json::Value;

use super::{Put, Rowed};
use crate::{
    scenario::question::HttpQuestion,
    world::{Result, Rows, WorldError, WorldErrorKind},
};

/// How many letters of a refusal are told.
const MOST_TOLD: usize = 200;

#[async_trait::async_trait]
impl Rowed for HttpQuestion {
    async fn rows(&self, put: &Put<'_>) -> Result<Rows> {
        let (status, body) = put.asker.world.get(put.node, self.port, &self.path, put.within).await?;
        let rows = if status == 200 {
            rows_of(self, &body)
        } else {
            Err(format!("{status} {}", shorten(body.trim(), MOST_TOLD)))
        };
        rows.map_err(|happened| {
            let doing = format!("ask {}:{} for {}", put.node, self.port, self.path);
            WorldError::new(WorldErrorKind::Answered, doing, happened)
        })
    }
}

/// The rows of an answer: the whole of it as one cell, or those that the pointer leads to.
fn rows_of(question: &HttpQuestion, body: &str) -> std::result::Result<Rows, String> {
    let Some(pointer) = &question.rows else { return Ok(vec![vec![Some(body.trim().to_owned())]]) };
    let answer: Value = serde_json::from_str(body).map_err(|error| format!("the answer is no JSON: {error}"))?;
    let found = answer.pointer(pointer).ok_or_else(|| format!("the answer has nothing at `{pointer}`"))?;
    match found {
        Value::Array(rows) => rows.iter().map(|row| cells(question, row)).collect(),
        one => Ok(vec![cells(question, one)?]),
    }
}

fn cells(question: &HttpQuestion, row: &Value) -> std::result::Result<Vec<Option<String>>, String> {
    match row {
        Value::Array(cells) => Ok(cells.iter().map(cell).collect()),
        Value::Object(members) if !question.columns.is_empty() => {
            let member = |name: &String| members.get(name).map(cell).ok_or_else(|| format!("a row has no `{name}`"));
            question.columns.iter().map(member).collect()
        }
        whole => Ok(vec![cell(whole)]),
    }
}

fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(rows: Option<&str>, columns: &[&str], body: &str) -> std::result::Result<Rows, String> {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        let rows = rows.map(str::to_owned);
        let question = HttpQuestion { on: None, database: None, port: 80, path: "/".into(), rows, columns };
        rows_of(&question, body)
    }

    fn cell(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn an_answer_is_one_cell_unless_a_pointer_leads_to_rows() {
        assert_eq!(asked(None, &[], " up\n").unwrap(), [[cell("up")]]);
        assert_eq!(asked(Some("/ids"), &[], r#"{"ids": ["a", 2, null]}"#).unwrap(), [[cell("a")], [cell("2")], [None]]);
        assert_eq!(asked(Some(""), &[], r#"[["a", true]]"#).unwrap(), [[cell("a"), cell("true")]]);
        assert_eq!(asked(Some("/state"), &[], r#"{"state": "ready"}"#).unwrap(), [[cell("ready")]]);
        let objects = r#"[{"id": "a", "state": null}]"#;
        assert_eq!(asked(Some(""), &["id", "state"], objects).unwrap(), [[cell("a"), None]]);
        assert_eq!(asked(Some(""), &[], "[{\"id\": \"a\"}]").unwrap(), [[cell(r#"{"id":"a"}"#)]]);
    }

    #[test]
    fn an_answer_without_the_rows_is_told() {
        assert!(asked(Some("/ids"), &[], "{}").unwrap_err().contains("nothing at `/ids`"));
        assert!(asked(Some("/ids"), &[], "<html>").unwrap_err().contains("no JSON"));
        assert!(asked(Some(""), &["id"], r#"[{"name": 1}]"#).unwrap_err().contains("no `id`"));
    }
}
