//! A path that nodes must answer.

use futures_util::future::join_all;

use super::{ASK_WITHIN, Answer, Ask, Evaluation, Examiner, Turn};
use crate::{scenario::check::HttpCheck, world::Result};

#[async_trait::async_trait]
impl Ask for HttpCheck {
    async fn ask(&self, examiner: &Examiner, _: Turn) -> Result<Answer> {
        let (passed_over, asked): (Vec<&String>, Vec<&String>) =
            self.on.iter().partition(|node| examiner.down.contains(node));
        let answers = join_all(asked.iter().map(|node| ask_one(examiner, self, node))).await;
        let wrong: Vec<&String> = answers.iter().filter_map(|answer| answer.as_ref().err()).collect();
        // A check that found nobody to ask has not looked at anything.
        let deviations = if asked.is_empty() { 1 } else { wrong.len() as u64 };
        let mut detail = match (asked.is_empty(), wrong.first()) {
            (true, _) => "no node was left to ask".to_owned(),
            (false, Some(first)) => format!("{first} ({} of {} wrong)", wrong.len(), asked.len()),
            (false, None) => format!("{} of {} answer {}", asked.len(), asked.len(), self.path),
        };
        if !passed_over.is_empty() {
            let names: Vec<&str> = passed_over.iter().map(|name| name.as_str()).collect();
            detail.push_str(&format!("; passed over, as the drill left them down: {}", names.join(", ")));
        }
        let raw =
            answers.iter().map(|answer| answer.as_ref().unwrap_or_else(|wrong| wrong).as_str()).collect::<Vec<_>>();
        Ok(Evaluation { deviations, detail, raw: raw.join("\n") }.into())
    }
}

/// The answer, or what is wrong with it.
async fn ask_one(examiner: &Examiner, check: &HttpCheck, node: &str) -> std::result::Result<String, String> {
    match examiner.world.get(node, check.port, &check.path, ASK_WITHIN).await {
        Err(error) => Err(format!("{node}: {}", error.happened)),
        Ok((status, body)) if status != 200 => Err(format!("{node}: {status} {}", body.trim())),
        Ok((_, body)) => match check.contains.iter().find(|text| !body.contains(*text)) {
            Some(missing) => Err(format!("{node}: the answer lacks `{missing}`")),
            None => Ok(format!("{node}: {}", body.trim())),
        },
    }
}
