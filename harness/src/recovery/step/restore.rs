//! A backup is put back: on a node, by a command, or on every disk, by the array.

use super::{Act, FOR_EVER, Procedure, not_found};
use crate::{
    plan::{PlannedBackup, fill_in_all},
    scenario::step::{RestoreStep, RestoreTo},
    topology,
    world::{Moment, NodeState, Point, Result, Taken},
};

#[async_trait::async_trait]
impl Act for RestoreStep {
    async fn act(&self, procedure: &Procedure) -> Result<String> {
        let doing = format!("restore {} from {}", self.node.as_deref().unwrap_or("every disk"), self.backup);
        let taken = procedure.scene.taken_backup(&self.backup).await;
        let taken = taken.ok_or_else(|| not_found(&doing, "it was not taken"))?;
        match &self.node {
            Some(node) => self.restore(procedure, node, &taken, &doing).await,
            None => procedure.revert(&taken).await,
        }
    }
}

impl RestoreStep {
    /// A node that is down is started, and not waited for: without data it has nothing to answer with.
    async fn restore(&self, procedure: &Procedure, node: &str, taken: &Taken, doing: &str) -> Result<String> {
        let world = procedure.scene.world.as_ref();
        let planned = procedure.scene.plan.backup(&self.backup);
        let planned = planned.ok_or_else(|| not_found(doing, "it was not planned"))?;
        let command = planned.restore.as_ref().ok_or_else(|| not_found(doing, "it cannot be restored by itself"))?;
        let point = self.point(procedure, doing).await?;
        procedure.until_lost(node).await;
        if world.state(node).await? == NodeState::Down {
            world.start(node).await?;
        }
        let values = [("backup", taken.label.clone()), ("point", point.to_string())];
        let command = fill_in_all(command, &values);
        let seen = self.cut_short(procedure, node, planned, &values).await?;
        let done = world.restore(node, taken, &point, &command, FOR_EVER).await?;
        let done = done.success(format!("restore on {node}"))?;
        Ok(seen.map_or(done.clone(), |seen| format!("{seen}; then from the beginning: {done}")))
    }

    async fn point(&self, procedure: &Procedure, doing: &str) -> Result<Point> {
        Ok(match &self.to {
            RestoreTo::End => Point::End,
            RestoreTo::Backup => Point::Backup,
            RestoreTo::TimeBeforeChange => Point::Time(before_change(procedure, doing).await?.time),
            RestoreTo::PositionBeforeChange => Point::Position(before_change(procedure, doing).await?.position),
            RestoreTo::Point(id) => {
                let marked = procedure.scene.taken_backup(id).await;
                Point::Named(marked.ok_or_else(|| not_found(doing, format!("{id} was not marked")))?.label)
            }
        })
    }

    /// Begins a restore and kills a node in the middle of it, where that is declared. Says what was seen.
    async fn cut_short(
        &self,
        procedure: &Procedure,
        node: &str,
        planned: &PlannedBackup,
        values: &[(&str, String)],
    ) -> Result<Option<String>> {
        let Some(interruption) = &self.interrupted else { return Ok(None) };
        let scene = &procedure.scene;
        let half_way = fill_in_all(planned.half_way.restore.as_deref().unwrap_or_default(), values);
        let half_done = scene.world.begin_restore(node, &half_way, FOR_EVER).await?;
        let seen = scene.interrupt("the restore", interruption, half_done).await?;
        if interruption.kill == node {
            scene.world.start(node).await?;
        } else {
            scene.start_again(&interruption.kill).await?;
        }
        Ok(Some(seen))
    }
}

async fn before_change(procedure: &Procedure, doing: &str) -> Result<Moment> {
    let moment = procedure.in_place.lock().await.iter().find_map(|fault| fault.moment.clone());
    moment.ok_or_else(|| not_found(doing, "no change was made"))
}

impl Procedure {
    /// Every node goes down, every disk goes back, and all come up again: what the array took is a state of the whole.
    async fn revert(&self, taken: &Taken) -> Result<String> {
        let (world, plan) = (self.scene.world.as_ref(), &self.scene.plan);
        for node in taken.disks.keys() {
            self.until_lost(node).await;
        }
        topology::kill_all(world, plan).await?;
        for (node, saved) in &taken.disks {
            world.revert(node, saved).await?;
        }
        topology::start_all(world, plan).await?;
        Ok(format!("{} disks as of {}; every node is ready", taken.disks.len(), taken.id))
    }
}
