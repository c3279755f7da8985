//! What a sweep must leave alone on a real engine: whatever is only labelled, or only named, as a run's things are.

mod docker_bench;

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use blackstart::world::{Found, FoundKind, Provision, Remains};
use bollard::{
    Docker,
    models::{ContainerConfig, ContainerCreateBody, NetworkCreateRequest, VolumeCreateRequest},
    query_parameters::{
        CommitContainerOptionsBuilder, CreateContainerOptionsBuilder, InspectContainerOptions, InspectNetworkOptions,
        RemoveContainerOptionsBuilder, RemoveImageOptions, RemoveVolumeOptions,
    },
};
use docker_bench::{remains, with_specs};
use futures_util::FutureExt;

/// A container, a volume and a network of somebody else, with the labels of a run on all of them: the container's come from an
/// image that was committed from a node.
struct Foreign {
    engine: Docker,
    name: String,
}

impl Foreign {
    async fn make(node: &str) -> Self {
        let engine = Docker::connect_with_defaults().expect("an engine");
        let name = format!("foreign-{:08x}", rand::random::<u32>());
        let known = engine.inspect_container(node, None::<InspectContainerOptions>).await.expect("a node");
        let labels = known.config.and_then(|config| config.labels).expect("its labels");
        let commit = CommitContainerOptionsBuilder::new().container(node).repo(&name).tag("1").build();
        engine.commit_container(commit, ContainerConfig::default()).await.expect("an image");
        let body = ContainerCreateBody { image: Some(format!("{name}:1")), ..Default::default() };
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        engine.create_container(Some(options), body).await.expect("a container of it");
        let volume =
            VolumeCreateRequest { name: Some(name.clone()), labels: Some(labels.clone()), ..Default::default() };
        engine.create_volume(volume).await.expect("a volume");
        let network = NetworkCreateRequest {
            name: name.clone(),
            labels: Some(labels),
            internal: Some(true),
            ..Default::default()
        };
        engine.create_network(network).await.expect("a network");
        Self { engine, name }
    }

    /// Demands that all of it is there, and removes it.
    async fn end(self) {
        let Self { engine, name } = self;
        let container = engine.inspect_container(&name, None::<InspectContainerOptions>).await;
        let network = engine.inspect_network(&name, None::<InspectNetworkOptions>).await;
        let found = [
            container
                .is_ok_and(|found| found.config.is_some_and(|config| config.labels.is_some_and(|all| !all.is_empty()))),
            engine.inspect_volume(&name).await.is_ok(),
            network.is_ok(),
            engine.inspect_image(&format!("{name}:1")).await.is_ok(),
        ];
        let force = RemoveContainerOptionsBuilder::new().force(true).build();
        let _ = engine.remove_container(&name, Some(force)).await;
        let _ = engine.remove_volume(&name, None::<RemoveVolumeOptions>).await;
        let _ = engine.remove_network(&name).await;
        let _ = engine.remove_image(&format!("{name}:1"), None::<RemoveImageOptions>, None).await;
        assert_eq!(found, [true; 4], "container, volume, network, image");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_carries_our_labels_survives_a_sweep() {
    with_specs("labelled", vec![docker_bench::node("a", 11, &["a"])], &[], |bench| {
        async move {
            // The engine lists things in no order.
            let left = || async { bench.world.leftovers().await.expect("a list").into_iter().collect::<BTreeSet<_>>() };
            let own = left().await;
            let node = own.iter().find_map(|one| one.strip_prefix("container ").filter(|name| name.ends_with("-a")));
            let foreign = Foreign::make(node.expect("a node")).await;
            assert_eq!(left().await, own, "it is nothing that the run left");
            let all = remains().await.list().await.expect("a list");
            let ours: Vec<_> = all.into_iter().filter(|one| own.contains(&one.to_string())).collect();
            let run_id = ours.first().expect("something").run_id.clone();
            let listed = remains().await.list().await.expect("a list");
            let of_run: Vec<_> = listed.into_iter().filter(|one| one.run_id == run_id).collect();
            assert_eq!(of_run.len(), own.len(), "{of_run:?}");
            let failed = remains().await.remove(&of_run).await.expect("an engine");
            foreign.end().await;
            assert!(failed.is_empty(), "{failed:?}");
        }
        .boxed()
    })
    .await;
}

/// A loop device of this machine, on a file that is called like a disk of a run, or like its pool.
struct ForeignDevice {
    device: String,
    folder: PathBuf,
}

impl ForeignDevice {
    fn make(file: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("blackstart-foreign-{:08x}", rand::random::<u32>()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(file);
        fs::File::create(&path).and_then(|made| made.set_len(1024 * 1024)).expect("a file");
        let made = Command::new("losetup").args(["--find", "--show"]).arg(&path).output().expect("losetup");
        if !made.status.success() {
            eprintln!("skipped: no loop device can be made here: {}", String::from_utf8_lossy(&made.stderr));
            return None;
        }
        Some(Self { device: String::from_utf8_lossy(&made.stdout).trim().to_owned(), folder })
    }

    fn holds_its_file(&self) -> bool {
        let name = self.device.trim_start_matches("/dev/");
        let held = fs::read_to_string(format!("/sys/block/{name}/loop/backing_file")).unwrap_or_default();
        held.starts_with(&self.folder.display().to_string())
    }
}

impl Drop for ForeignDevice {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.device]).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_of_somebody_elses_file_survives_a_sweep() {
    let run_id = format!("t{:08x}-alike", rand::random::<u32>());
    for file in [format!("bs.{run_id}.db-a.disk"), format!("bs.{run_id}.local.pool")] {
        let Some(foreign) = ForeignDevice::make(&file) else { return };
        let engine = remains().await;
        let listed = engine.list().await.expect("a list");
        assert!(listed.iter().all(|one| one.run_id != run_id), "it is nothing of the run's");
        let (id, resource) = (foreign.device.clone(), "device of a pool".to_owned());
        let kind = FoundKind::Device;
        let found = Found { kind, run_id: run_id.clone(), owner: String::new(), name: id.clone(), id, resource };
        // Whoever takes it for one all the same lets go of those of the run, and of no other.
        assert!(engine.remove(&[found]).await.expect("an engine").is_empty());
        assert!(foreign.holds_its_file(), "{} was let go of", foreign.device);
    }
}
