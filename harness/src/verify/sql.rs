//! A query and what it must give.

use super::{ASK_WITHIN, Answer, Ask, Evaluation, Examiner, Turn, as_lines};
use crate::{
    scenario::check::SqlCheck,
    world::{Result, Rows},
};

#[async_trait::async_trait]
impl Ask for SqlCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let target = examiner.target(&self.on, &self.database).await?;
        let rows = examiner.world.query(&target, &self.query, ASK_WITHIN).await?;
        let mut evaluation = evaluate(self, &rows);
        evaluation.detail = format!("{} on {}: {}", self.database, target.node, evaluation.detail);
        Ok(evaluation.into())
    }
}

fn evaluate(check: &SqlCheck, rows: &Rows) -> Evaluation {
    let raw = as_lines(rows);
    let only = rows.first().and_then(|row| row.first()).cloned().flatten();
    let (deviations, detail) = if check.no_rows {
        let first = raw.lines().take(3).collect::<Vec<_>>().join("; ");
        let found =
            if rows.is_empty() { "no row, as it must be".to_owned() } else { format!("{} rows: {first}", rows.len()) };
        (rows.len() as u64, found)
    } else if let Some(value) = &check.value {
        let found = only.as_deref().unwrap_or("nothing");
        let holds = only.as_ref() == Some(value);
        (u64::from(!holds), if holds { format!("gives {found}") } else { format!("gives {found}, not {value}") })
    } else {
        let least = check.at_least.unwrap_or_default();
        let number: Option<i64> = only.as_deref().and_then(|text| text.parse().ok());
        let missing = number.map_or(1, |number| least.saturating_sub(number).max(0) as u64);
        let found = only.as_deref().unwrap_or("nothing");
        (missing, if missing == 0 { format!("gives {found}") } else { format!("gives {found}, less than {least}") })
    };
    Evaluation { deviations, detail, raw }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(no_rows: bool, value: Option<&str>, at_least: Option<i64>) -> SqlCheck {
        let value = value.map(str::to_owned);
        SqlCheck { on: "db".into(), database: "db".into(), query: "select".into(), no_rows, value, at_least }
    }

    fn one(cell: &str) -> Rows {
        vec![vec![Some(cell.to_owned())]]
    }

    #[test]
    fn every_row_is_a_finding_where_none_may_be() {
        assert_eq!(evaluate(&check(true, None, None), &vec![]).deviations, 0);
        assert_eq!(evaluate(&check(true, None, None), &one("order-7")).deviations, 1);
    }

    #[test]
    fn nothing_at_all_never_passes_for_a_value() {
        assert_eq!(evaluate(&check(false, Some("t"), None), &vec![]).deviations, 1);
        assert_eq!(evaluate(&check(false, Some("t"), None), &one("t")).deviations, 0);
        assert_eq!(evaluate(&check(false, None, Some(3)), &vec![]).deviations, 1);
        assert_eq!(evaluate(&check(false, None, Some(3)), &one("no number")).deviations, 1);
        assert_eq!(evaluate(&check(false, None, Some(3)), &one("1")).deviations, 2);
    }
}
