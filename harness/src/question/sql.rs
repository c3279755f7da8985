//! A query, in a transaction that may only read.

use super::{Put, Rowed};
use crate::{
    scenario::question::{Asks, SqlQuestion},
    world::{Result, Rows},
};

#[async_trait::async_trait]
impl Rowed for SqlQuestion {
    async fn rows(&self, put: &Put<'_>) -> Result<Rows> {
        let target = put.asker.target(self.database(), put.node)?;
        put.asker.world.query(&target, &self.query, put.within).await
    }
}
