//! Loop devices of storage arrays, wherever the array itself has gone: finding them by the files that they hold, and
//! letting go of them.
//!
//! A device carries no label. But the kernel tells which file it holds, and the array puts the run into the name of each
//! file: `bs.RUN.NODE.disk` and `bs.RUN.POOL.pool`. The kernel is asked from a container, as the engine need not be on this
//! machine.

use std::{fs, time::Duration};

use bollard::{
    Docker,
    models::{ContainerCreateBody, HostConfig},
    query_parameters::{
        CreateContainerOptionsBuilder, LogsOptionsBuilder, StartContainerOptions, WaitContainerOptions,
    },
};
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{array::make_array_image, errors::Doing, names::RunIdentity, provision::remove_container};
use crate::world::{CommandOutput, Result, WorldError, WorldErrorKind};

/// How long a container may take that looks at devices, or lets go of them.
const WITHIN: Duration = Duration::from_secs(60);

/// A device that holds a file of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    /// Its path, such as `/dev/loop7`.
    pub path: String,
    /// The name of the file.
    pub file: String,
    /// The run that it belongs to.
    pub run_id: String,
    /// The environment of the run, where that is not its own.
    pub environment: Option<String>,
}

/// What a container needs that makes loop devices and mounts them. The engine's usual profile for AppArmor, where there is
/// one, forbids to mount; everything else that it forbids stays so.
///
/// Whoever has these rights counts as root of the engine's machine: which loop devices a container may open is fixed when
/// it is made, and a list of those that are its own cannot be. So it gets nothing more that leads there: a `/dev` of its
/// own, no control groups, and only those capabilities that its programs use.
pub(super) fn rights() -> HostConfig {
    let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    HostConfig {
        network_mode: Some("none".to_owned()),
        cap_drop: list(&["ALL"]),
        cap_add: list(&["SYS_ADMIN", "MKNOD", "CHOWN", "DAC_OVERRIDE", "FOWNER"]),
        device_cgroup_rules: list(&["b 7:* rmw", "c 10:237 rmw"]),
        tmpfs: Some([("/sys/fs/cgroup".to_owned(), "ro,nosuid,nodev,noexec,size=4k".to_owned())].into()),
        security_opt: list(&["no-new-privileges", "apparmor=unconfined"]),
        ..Default::default()
    }
}

/// Whether devices of arrays are seen on this machine. Where the engine is elsewhere, that says nothing.
pub(super) fn are_seen_here() -> bool {
    let Ok(entries) = fs::read_dir("/sys/block") else { return false };
    let held = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("loop/backing_file")).ok());
    held.into_iter().any(|path| read(&format!("- {}", path.trim_end())).is_some())
}

/// Every device of an array on the engine's machine. `asker` labels the container that asks.
pub(super) async fn list(docker: &Docker, asker: &RunIdentity) -> Result<Vec<Device>> {
    let doing = "list loop devices";
    let host = HostConfig { network_mode: Some("none".to_owned()), ..Default::default() };
    let said = run_once(docker, asker, host, &["array", "devices"], doing).await?.success(doing)?;
    Ok(read_all(&said))
}

/// The devices of arrays among all that were listed.
pub(super) fn read_all(said: &str) -> Vec<Device> {
    said.lines().filter_map(read).collect()
}

/// Lets go of every device of a run.
pub(super) async fn detach(docker: &Docker, asker: &RunIdentity, run_id: &str, doing: &str) -> Result<()> {
    run_once(docker, asker, rights(), &["array", "detach", run_id], doing).await?.success(doing).map(drop)
}

/// One line: the device, and the path of its file. The base name alone says whose it is, and it must lie where an array
/// keeps files of that kind: another file of such a name is somebody's own.
fn read(line: &str) -> Option<Device> {
    let (device, path) = line.split_once(' ')?;
    let (folder, file) = path.strip_suffix(" (deleted)").unwrap_or(path).rsplit_once('/')?;
    let words: Vec<&str> = file.split('.').collect();
    let ["bs", run_id, name, kind] = words[..] else { return None };
    let group = match kind {
        _ if run_id.is_empty() || name.is_empty() => return None,
        "pool" if is_store(folder, run_id) => "",
        "disk" => group_of(folder)?,
        _ => return None,
    };
    let environment = group.strip_prefix("beside-").map(str::to_owned);
    Some(Device { path: device.to_owned(), file: file.to_owned(), run_id: run_id.to_owned(), environment })
}

/// Whether a folder is the one that holds the pools of a run: as its array sees it, as it is seen once that is gone, or as
/// the engine's machine sees it.
fn is_store(folder: &str, run_id: &str) -> bool {
    matches!(folder, "" | "/store") || folder.ends_with(&format!("/volumes/bs-{run_id}-.pool/_data"))
}

/// The group within a pool that a folder is: as the array sees it, or cut off at its pool.
fn group_of(folder: &str) -> Option<&str> {
    let within = ["/pools/local/", "/pools/remote/", "/"].iter().find_map(|start| folder.strip_prefix(start))?;
    (within == "group" || within.strip_prefix("beside-").is_some_and(|name| !name.is_empty() && !name.contains('/')))
        .then_some(within)
}

/// Runs a command in a container of its own, and removes that whatever comes of it.
async fn run_once(
    docker: &Docker,
    asker: &RunIdentity,
    host: HostConfig,
    command: &[&str],
    doing: &str,
) -> Result<CommandOutput> {
    let image = make_array_image(docker, &|_| {}).await?;
    let name = asker.asking();
    let body = ContainerCreateBody {
        image: Some(image.tag),
        cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
        labels: Some(asker.labels("devices", None)),
        host_config: Some(host),
        ..Default::default()
    };
    let ran = timeout(WITHIN, run_to_end(docker, &name, body, doing)).await;
    remove_container(docker, &name, doing).await?;
    ran.unwrap_or_else(|_| Err(WorldError::new(WorldErrorKind::TimedOut, doing, format!("nothing within {WITHIN:?}"))))
}

async fn run_to_end(docker: &Docker, name: &str, body: ContainerCreateBody, doing: &str) -> Result<CommandOutput> {
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    docker.create_container(Some(options), body).await.doing(doing)?;
    docker.start_container(name, None::<StartContainerOptions>).await.doing(doing)?;
    let ended = docker.wait_container(name, None::<WaitContainerOptions>).next().await;
    // The engine's client makes an error of every other status.
    let status = i64::from(!matches!(ended, Some(Ok(_))));
    let mut lines = docker.logs(name, Some(LogsOptionsBuilder::new().stdout(true).stderr(true).build()));
    let mut output = String::new();
    while let Some(line) = lines.next().await {
        output += &line.doing(doing)?.to_string();
    }
    Ok(CommandOutput { status, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_by_the_file_that_it_holds() {
        let own = read("/dev/loop3 /pools/local/group/bs.r-1.db-a.disk").expect("a disk");
        assert_eq!((own.path.as_str(), own.run_id.as_str(), own.environment), ("/dev/loop3", "r-1", None));
        let copy = read("/dev/loop4 /beside-weekly/bs.r-1.db-a.disk").expect("a disk of a copy, cut off at its pool");
        assert_eq!(copy.environment.as_deref(), Some("weekly"));
        let pool = read("/dev/loop0 /var/lib/docker/volumes/bs-r-1-.pool/_data/bs.r-1.local.pool (deleted)");
        assert_eq!(pool.map(|pool| (pool.file, pool.environment)), Some(("bs.r-1.local.pool".to_owned(), None)));
        for pool in ["/dev/loop0 /store/bs.r-1.local.pool", "/dev/loop0 /bs.r-1.remote.pool"] {
            assert_eq!(read(pool).map(|pool| pool.run_id).as_deref(), Some("r-1"), "{pool}");
        }
    }

    #[test]
    fn a_device_of_somebody_elses_file_is_not_ours() {
        for foreign in [
            "",
            "/dev/loop1 ",
            "/dev/loop1 /var/lib/snapd/snaps/core.snap",
            "/dev/loop1 /home/bs.disk",
            "/dev/loop1 /home/me/bs.r-1.db-a.disk",
            "/dev/loop1 /home/me/bs.r-1.local.pool",
            "/dev/loop1 /home/bs.r-1.x/db-a.disk",
            "/dev/loop1 /pools/local/group/bs.r-1.db-a/own.disk",
            "/dev/loop1 /pools/local/saved/monday/bs.r-1.db-a.disk",
            "/dev/loop1 /pools/local/beside-/bs.r-1.db-a.disk",
            "/dev/loop1 /pools/local/beside-a/b/bs.r-1.db-a.disk",
            "/dev/loop1 /pools/local/group/bs..db-a.disk",
            "/dev/loop1 /var/lib/docker/volumes/bs-r-2-.pool/_data/bs.r-1.local.pool",
        ] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }
}
