//! Faults of data: everything on a volume is gone; a change has written what must not be; a backup is spoiled.

use std::time::Duration;

use futures_util::future::try_join_all;

use super::{Scene, process, without_effect};
use crate::{
    plan::{PlannedBackup, Taking, fill_in_all},
    scenario::fault::Spoiling,
    world::{Moment, Result},
};

/// How long a change, or a look at what it did, may take.
const CHANGE_WITHIN: Duration = Duration::from_secs(10);

/// Removes everything on the volumes of nodes that were just killed. Each is empty then, and answers nothing.
pub async fn lose(scene: &Scene, victims: &[String]) -> Result<String> {
    let killed = process::prove_killed(scene, victims).await?;
    let wiped = victims.iter().map(|victim| async move {
        let (before, after) = scene.world.wipe(victim).await?;
        if before == 0 || after > 0 {
            let seen = format!("of {before} files there are {after} left");
            return Err(without_effect(&format!("the volume of {victim} is empty"), seen));
        }
        Ok(format!("the volume of {victim} held {before} files and holds none"))
    });
    let wiped = try_join_all(wiped).await?.join("; ");
    Ok(format!("{wiped}; {killed}"))
}

/// Makes a change where the database takes writes. Gives the moment just before it, and says what it did.
pub async fn change(scene: &Scene, database: &str, user: &str, statement: &str) -> Result<(Moment, String)> {
    let target = scene.writer(database).await?;
    let (before, rows) = scene.world.change(&target, user, statement, CHANGE_WITHIN).await?;
    let seen = format!("{rows} rows changed on {} just after {} ({})", target.node, before.position, before.time);
    Ok((before, seen))
}

/// The change is there: the query that shows it gives rows.
pub async fn prove_changed(scene: &Scene, database: &str, shows: &str) -> Result<String> {
    let target = scene.writer(database).await?;
    match scene.world.query(&target, shows, CHANGE_WITHIN).await?.len() {
        0 => Err(without_effect("the change is there", "the query that shows it gives no row")),
        rows => Ok(format!("{rows} rows show it on {}", target.node)),
    }
}

/// Damages a backup where it is kept. Its sums before and after must differ.
pub async fn spoil(scene: &Scene, backup: &PlannedBackup, by: Spoiling) -> Result<String> {
    let id = &backup.id;
    let what = format!("backup {id} is spoiled");
    let taken = scene.on_shelf(id).await.ok_or_else(|| without_effect(&what, "it was not taken"))?;
    let command = backup.spoil.as_ref().ok_or_else(|| without_effect(&what, "the system does not say how"))?;
    let command = fill_in_all(command, &[("backup", taken.label.clone()), ("by", by.name().to_owned())]);
    let Taking::Command { on, .. } = &backup.taking else {
        return Err(without_effect(&what, "the array took it"));
    };
    let spoiled = scene.world.spoil(on, &taken, &command, backup.within).await?;
    if spoiled.before == spoiled.after {
        return Err(without_effect(&what, format!("{} is what it was: {}", spoiled.what, spoiled.before)));
    }
    Ok(format!("{}: {} before, {} after", spoiled.what, spoiled.before, spoiled.after))
}
