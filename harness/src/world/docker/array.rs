//! The storage array: a container that keeps the disks of the nodes, and does to them what storage can do.
//!
//! What it does is written as commands of one program in its image (`array/array`), each carried out whole. A run has one
//! array, in its own environment; an environment beside it has a group of disks of its own there.

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bollard::{
    Docker,
    models::{ContainerCreateBody, HostConfig, VolumeCreateRequest},
    query_parameters::StartContainerOptions,
};

use super::{
    DockerWorld,
    devices::{self, Device},
    errors::Doing,
    exec::exec,
    images::{Image, Progress, build_where_missing},
    nodes::{log_config, volume_mount},
    provision::remove_volume,
    shell::Shell,
    tarball::Entry,
};
use crate::world::{ArraySpec, CommandOutput, Pool, Result, Saved, WorldError, WorldErrorKind};

/// How long a command may take that moves no data.
const QUICK_WITHIN: Duration = Duration::from_secs(30);
/// How long one may take that moves whole disks.
const LONG_WITHIN: Duration = Duration::from_secs(300);
/// XFS is made no smaller than this.
const LEAST_DISK_BYTES: u64 = 300 * 1024 * 1024;
/// A smaller pool would hold little but its own books.
const LEAST_POOL_BYTES: u64 = 256 * 1024 * 1024;
/// Sizes are whole blocks.
const BLOCK_BYTES: u64 = 4096;

/// The array of a run, as all its environments share it.
#[derive(Default)]
pub(super) struct Array {
    spec: OnceLock<ArraySpec>,
    /// Shells that wait in its container for commands.
    shells: Mutex<Vec<Shell>>,
}

impl Array {
    /// Whether this run has asked for one.
    pub(super) fn is_wanted(&self) -> bool {
        self.spec.get().is_some()
    }

    fn idle_shell(&self) -> Option<Shell> {
        self.shells.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, shell: Shell) {
        self.shells.lock().unwrap_or_else(PoisonError::into_inner).push(shell);
    }
}

/// Makes sure of the image that the array runs, and that looks for what arrays left behind.
pub(super) async fn make_array_image(docker: &Docker, progress: Progress<'_>) -> Result<Image> {
    let entries = vec![
        Entry::copied("Dockerfile", include_bytes!("array/Dockerfile")),
        Entry::copied("array", include_bytes!("array/array")),
        Entry::copied("on-disk", include_bytes!("array/on-disk")),
    ];
    build_where_missing(docker, "array", entries, progress).await
}

pub(super) const fn pool_word(pool: Pool) -> &'static str {
    match pool {
        Pool::Local => "local",
        Pool::Remote => "remote",
    }
}

/// A name that goes into commands and paths: a word, and nothing that a shell or a path could take for more.
pub(super) fn plain<'a>(name: &'a str, doing: &str) -> Result<&'a str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(is_plain) {
        return Ok(name);
    }
    let happened = format!("`{name}` is not a name for it: letters, digits, `-`, `_` and `.` only");
    Err(WorldError::new(WorldErrorKind::Answered, doing, happened))
}

/// What can be told before anything is made.
fn evaluate(spec: &ArraySpec, doing: &str) -> Result<()> {
    let too_small = |what: &str, bytes: u64, least: u64| {
        let happened = format!("{what} of {bytes} bytes is too small: at least {least}");
        Err(WorldError::new(WorldErrorKind::Answered, doing, happened))
    };
    let pools = [Some(spec.pool_bytes), spec.remote_bytes];
    if let Some(bytes) = pools.into_iter().flatten().find(|bytes| *bytes < LEAST_POOL_BYTES) {
        return too_small("a pool", bytes, LEAST_POOL_BYTES);
    }
    if spec.disk_bytes < LEAST_DISK_BYTES {
        return too_small("a disk", spec.disk_bytes, LEAST_DISK_BYTES);
    }
    Ok(())
}

const fn whole_blocks(bytes: u64) -> u64 {
    bytes - bytes % BLOCK_BYTES
}

impl DockerWorld {
    /// Makes the container and its pools.
    pub(super) async fn make_array(&self, spec: &ArraySpec) -> Result<()> {
        let doing = "make the storage array";
        evaluate(spec, doing)?;
        if self.run.environment.is_some() || self.array.spec.set(*spec).is_err() {
            return Err(WorldError::new(WorldErrorKind::Taken, doing, "the run has its array already"));
        }
        let image = make_array_image(&self.docker, &|_| {}).await?;
        let volume = VolumeCreateRequest {
            name: Some(self.run.pool()),
            driver: Some("local".to_owned()),
            labels: Some(self.run.labels("array", None)),
            ..Default::default()
        };
        self.docker.create_volume(volume).await.doing(doing)?;
        let container = self.run.array();
        self.make_container(&container, self.array_body(image)).await?;
        self.docker.start_container(&container, None::<StartContainerOptions>).await.doing(doing)?;
        let pools = [Some(spec.pool_bytes), spec.remote_bytes].into_iter().flatten();
        let pools: Vec<String> = pools.map(|bytes| whole_blocks(bytes).to_string()).collect();
        let words: Vec<&str> = std::iter::once("make").chain(pools.iter().map(String::as_str)).collect();
        self.at_array(doing, &words).await.map(drop)
    }

    fn array_body(&self, image: Image) -> ContainerCreateBody {
        let rights = devices::rights();
        ContainerCreateBody {
            image: Some(image.tag),
            labels: Some(self.run.labels("array", None)),
            env: Some(vec![format!("BLACKSTART_RUN={}", self.run.run_id)]),
            host_config: Some(HostConfig {
                mounts: Some(vec![volume_mount(self.run.pool(), "/store")]),
                log_config: Some(log_config()),
                ..rights
            }),
            ..Default::default()
        }
    }

    /// Removes the array with everything that is in it.
    pub(super) async fn remove_array(&self) -> Result<()> {
        if self.run.environment.is_some() || !self.array.is_wanted() {
            return Ok(());
        }
        let doing = "remove the storage array";
        self.array.shells.lock().unwrap_or_else(PoisonError::into_inner).clear();
        // It lets go of its devices by itself, which is quick. Where it does not, or does not run, another container does.
        let container = self.run.array();
        let ended = exec(&self.docker, &container, doing, &words(&["array", "end"]), QUICK_WITHIN).await;
        self.remove_container(&container, doing).await?;
        if !ended.is_ok_and(|ended| ended.status == 0) {
            devices::detach(&self.docker, &self.run, &self.run.run_id, doing).await?;
        }
        remove_volume(&self.docker, &self.run.pool(), doing).await
    }

    /// Makes the disk of a node, and the volume by which the engine mounts it.
    pub(super) async fn make_disk(&self, node: &str, from: Option<&Saved>) -> Result<()> {
        if self.known().lent.contains_key(node) {
            return Ok(());
        }
        let doing = format!("make the disk of {node}");
        let (group, node) = (self.group(), plain(node, &doing)?);
        let output = match from {
            None => {
                let bytes = whole_blocks(self.array_spec(&doing)?.disk_bytes).to_string();
                self.at_array(&doing, &["make-disk", &group, node, &bytes]).await?
            }
            Some(saved) => {
                let name = plain(&saved.name, &doing)?;
                self.at_array(&doing, &["make-disk", &group, node, name, pool_word(saved.pool)]).await?
            }
        };
        let device = output.lines().last().unwrap_or_default().trim();
        let options = [("type", "xfs"), ("device", device), ("o", "nouuid,noatime")];
        let request = VolumeCreateRequest {
            name: Some(self.run.volume(node)),
            driver: Some("local".to_owned()),
            driver_opts: Some(options.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            labels: Some(self.run.labels("disk", Some(node))),
            ..Default::default()
        };
        self.docker.create_volume(request).await.doing(doing).map(drop)
    }

    pub(super) async fn remove_disk(&self, node: &str) -> Result<()> {
        let doing = format!("remove the disk of {node}");
        if self.known().lent.contains_key(node) {
            return Ok(());
        }
        remove_volume(&self.docker, &self.run.volume(node), &doing).await?;
        match self.at_array(&doing, &["remove-disk", &self.group(), plain(node, &doing)?]).await {
            // Without its container there is no array, or only what is left of it: that goes with the array.
            Err(error) if error.kind == WorldErrorKind::NotFound => Ok(()),
            other => other.map(drop),
        }
    }

    /// The name of the array's container, for tests that look into it.
    pub fn array_container(&self) -> String {
        self.run.array()
    }

    /// What the group of this environment is called within a pool.
    pub(super) fn group(&self) -> String {
        self.run.environment.as_ref().map_or_else(|| "group".to_owned(), |name| format!("beside-{name}"))
    }

    /// Devices on the engine's machine, as far as this run had to do with any: asked in the array while it runs, as a
    /// container of its own takes ten times as long.
    pub(super) async fn array_devices(&self) -> Result<Vec<Device>> {
        let doing = "list the devices of the storage array";
        if !self.array.is_wanted() {
            return Ok(Vec::new());
        }
        match self.at_array(doing, &["devices"]).await {
            Ok(said) => Ok(devices::read_all(&said)),
            Err(_) => devices::list(&self.docker, &self.run).await,
        }
    }

    fn array_spec(&self, doing: &str) -> Result<ArraySpec> {
        let none = || WorldError::new(WorldErrorKind::NotFound, doing, "the run has no storage array");
        self.array.spec.get().copied().ok_or_else(none)
    }

    /// Runs a command of the array's that moves no data, and gives what it printed.
    pub(super) async fn at_array(&self, doing: &str, words: &[&str]) -> Result<String> {
        succeeded(self.try_at_array(doing, words).await?, doing)
    }

    /// The same, whatever its exit status.
    pub(super) async fn try_at_array(&self, doing: &str, words: &[&str]) -> Result<CommandOutput> {
        self.array_spec(doing)?;
        let mut shell = match self.array.idle_shell() {
            Some(shell) => shell,
            None => Shell::start(&self.docker, &self.run.array(), doing).await?,
        };
        let output = shell.run(&format!("array {}", words.join(" ")), QUICK_WITHIN, doing).await?;
        self.array.put_back(shell);
        Ok(output)
    }

    /// Runs a command of the array's that moves data.
    pub(super) async fn move_at_array(&self, doing: &str, arguments: &[&str]) -> Result<String> {
        self.array_spec(doing)?;
        let command: Vec<String> = words(&["array"]).into_iter().chain(words(arguments)).collect();
        succeeded(exec(&self.docker, &self.run.array(), doing, &command, LONG_WITHIN).await?, doing)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// What a command printed that succeeded.
fn succeeded(output: CommandOutput, doing: &str) -> Result<String> {
    output.success(doing).map_err(|error| {
        let is_full = error.happened.contains("No space left on device");
        let kind = if is_full { WorldErrorKind::PoolFull } else { error.kind };
        WorldError::new(kind, error.doing, error.happened)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: ArraySpec = ArraySpec { pool_bytes: 1 << 30, disk_bytes: 1 << 29, remote_bytes: None };

    #[test]
    fn a_name_is_a_word() {
        assert!(plain("db-a", "x").is_ok() && plain("daily_1.2", "x").is_ok());
        for name in ["", ".", "..", "-p", "a b", "a/b", "$(x)", "a\n"] {
            assert!(plain(name, "x").is_err(), "{name}");
        }
    }

    #[test]
    fn sizes_are_validated_before_anything_is_made() {
        assert!(evaluate(&SPEC, "x").is_ok());
        for spec in [
            ArraySpec { pool_bytes: 1 << 20, ..SPEC },
            ArraySpec { disk_bytes: 1 << 20, ..SPEC },
            ArraySpec { remote_bytes: Some(0), ..SPEC },
        ] {
            assert!(evaluate(&spec, "x").is_err_and(|error| error.happened.contains("too small")), "{spec:?}");
        }
    }

    #[test]
    fn a_pool_without_room_is_said_to_be_full() {
        let output = |status, text: &str| CommandOutput { status, output: text.to_owned() };
        let kind = |output| succeeded(output, "x").map_err(|error| error.kind);
        assert_eq!(kind(output(1, "cp: write: No space left on device")), Err(WorldErrorKind::PoolFull));
        assert_eq!(kind(output(1, "nothing was saved as x")), Err(WorldErrorKind::Answered));
        assert_eq!(kind(output(0, " 12\n")), Ok("12".to_owned()));
    }
}
