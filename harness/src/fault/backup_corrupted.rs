//! A backup is damaged where it is kept.

use super::{Mechanism, Scene, Seen, without_effect};
use crate::{
    plan::{Taking, fill_in_all},
    scenario::fault::BackupCorrupted,
    world::Result,
};

#[async_trait::async_trait]
impl Mechanism for BackupCorrupted {
    /// Has the system damage the backup. Its sums before and after must differ.
    async fn put_in_place(&self, scene: &Scene, _: &[String]) -> Result<Seen> {
        let what = format!("backup {} is corrupted", self.backup);
        let missing = |seen: &str| without_effect(&what, seen);
        let taken = scene.taken_backup(&self.backup).await.ok_or_else(|| missing("it was not taken"))?;
        let planned = scene.plan.backup(&self.backup).ok_or_else(|| missing("it was not planned"))?;
        let Taking::Command { on, .. } = &planned.taking else { return Err(missing("the array took it")) };
        let command = planned.corrupt.as_ref().ok_or_else(|| missing("the system does not say how"))?;
        let command = fill_in_all(command, &[("backup", taken.label.clone()), ("by", self.by.name().to_owned())]);
        let corrupted = scene.world.corrupt(on, &taken, &command, planned.within).await?;
        if corrupted.before == corrupted.after {
            return Err(without_effect(&what, format!("{} is what it was: {}", corrupted.what, corrupted.before)));
        }
        Ok(Seen::only(format!("{}: {} before, {} after", corrupted.what, corrupted.before, corrupted.after)))
    }

    /// It was taken while the fault was put in place.
    async fn prove(&self, _: &Scene, _: &[String]) -> Result<String> {
        Ok(String::new())
    }
}
