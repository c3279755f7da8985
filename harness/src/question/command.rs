//! A command: each line that it prints is a row, its cells separated by tabs.

use super::{Put, Rowed};
use crate::{
    scenario::question::CommandQuestion,
    world::{Result, Rows},
};

#[async_trait::async_trait]
impl Rowed for CommandQuestion {
    async fn rows(&self, put: &Put<'_>) -> Result<Rows> {
        let done = put.asker.world.read(put.node, &self.run, put.within).await?;
        let printed = done.success(format!("ask {} by {}", put.node, self.run.join(" ")))?;
        Ok(rows_of(&printed))
    }
}

fn rows_of(printed: &str) -> Rows {
    let lines = printed.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty());
    lines.map(|line| line.split('\t').map(|cell| Some(cell.to_owned())).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_rows_and_tabs_part_cells() {
        let cell = |text: &str| Some(text.to_owned());
        assert_eq!(rows_of("a\t1\r\n\nb c\n"), [vec![cell("a"), cell("1")], vec![cell("b c")]]);
        assert_eq!(rows_of(""), Rows::new());
    }
}
