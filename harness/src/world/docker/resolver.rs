//! The resolver of a run: what answers for the names of its nodes, and for nothing else.
//!
//! Nodes ask it straight, by a `resolv.conf` that lies in a volume of its own. The engine's embedded name server is passed by:
//! it would go on answering for names while the resolver is gone, and without another server it asks the host's.

use std::{fmt::Write, net::Ipv4Addr, time::Duration};

use bollard::{
    models::{ContainerCreateBody, HostConfig, Mount, MountType, VolumeCreateRequest},
    query_parameters::StartContainerOptions,
};

use super::{
    DockerWorld,
    errors::Doing,
    exec::exec,
    limits,
    nodes::{NOBODY, volume_mount},
    provision::remove_volume,
    tarball::Entry,
};
use crate::world::{Result, WorldError, WorldErrorKind};

/// The last part of the resolver's address. The relay has 254.
pub(super) const RESOLVER_HOST: u8 = 253;

/// Where its volume is mounted.
const FOLDER: &str = "/run/names";
/// It knows the file of names and asks nobody: a name with a dot is refused, any other is known or does not exist.
const COMMAND: [&str; 9] = [
    "dnsmasq",
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--pid-file=",
    "--log-facility=-",
    "--domain-needed",
    "--addn-hosts=/run/names/hosts",
];
const UP_WITHIN: Duration = Duration::from_secs(10);
/// Ends once somebody listens on the port for names.
const AWAIT: &str = "until (exec 3<>/dev/tcp/127.0.0.1/53) 2>/dev/null; do sleep 0.01; done";

impl DockerWorld {
    /// Makes the resolver and the file that leads nodes to it. It starts with the first node, when the names are known.
    pub(super) async fn make_resolver(&self) -> Result<()> {
        let doing = "make the resolver";
        let name = self.run.resolver();
        let volume = VolumeCreateRequest {
            name: Some(name.clone()),
            driver: Some("local".to_owned()),
            labels: Some(self.run.labels("resolver", None)),
            ..Default::default()
        };
        let volume = self.docker.create_volume(volume).await.doing(doing)?;
        self.make_container(&name, self.resolver_body(doing).await?).await?;
        let leads = format!("nameserver {}\n", self.resolver_address(doing)?);
        self.upload_into(&name, FOLDER, &[Entry::copied("resolv.conf", leads.as_bytes())]).await?;
        self.known().resolv_conf = Some(format!("{}/resolv.conf", volume.mountpoint));
        Ok(())
    }

    async fn resolver_body(&self, doing: &str) -> Result<ContainerCreateBody> {
        let image = self.tools_image(&|_| {}).await?.tag.clone();
        Ok(ContainerCreateBody {
            image: Some(image),
            hostname: Some("resolver".to_owned()),
            user: Some(NOBODY.to_owned()),
            cmd: Some(COMMAND.map(str::to_owned).to_vec()),
            labels: Some(self.run.labels("resolver", None)),
            host_config: Some(HostConfig {
                mounts: Some(vec![volume_mount(self.run.resolver(), FOLDER)]),
                readonly_rootfs: Some(true),
                ..self.networked(&[], limits::OWN, doing)?
            }),
            networking_config: Some(self.place(RESOLVER_HOST, doing)?),
            ..Default::default()
        })
    }

    /// Makes sure that the resolver answers for every name that is known by now.
    pub(super) async fn resolver_answers(&self) -> Result<()> {
        self.resolver.get_or_try_init(|| self.start_resolver()).await.copied()
    }

    async fn start_resolver(&self) -> Result<()> {
        let (doing, name) = ("start the resolver", self.run.resolver());
        let hosts = self.hosts_file(doing)?;
        self.upload_into(&name, FOLDER, &[Entry::copied("hosts", hosts.as_bytes())]).await?;
        self.docker.start_container(&name, None::<StartContainerOptions>).await.doing(doing)?;
        let command = ["bash", "-c", AWAIT].map(str::to_owned);
        match exec(&self.docker, &name, doing, &command, UP_WITHIN).await {
            Ok(waited) => waited.success(doing).map(drop),
            Err(error) => {
                let said = self.container_logs(&name).await.unwrap_or_default();
                Err(WorldError::new(error.kind, doing, format!("{}; it printed:\n{said}", error.happened)))
            }
        }
    }

    fn hosts_file(&self, doing: &str) -> Result<String> {
        let subnet = self.subnet(doing)?;
        let mut file = String::new();
        for (name, host) in &self.known().hosts {
            let _ = writeln!(file, "{} {name}", subnet.host(*host));
        }
        Ok(file)
    }

    pub(super) fn resolver_address(&self, doing: &str) -> Result<Ipv4Addr> {
        Ok(self.subnet(doing)?.host(RESOLVER_HOST))
    }

    /// What leads a node to the resolver.
    pub(super) fn resolv_conf(&self, doing: &str) -> Result<Mount> {
        let happened = "the resolver of the run was not made";
        let none = || WorldError::new(WorldErrorKind::NotFound, doing, happened);
        Ok(Mount {
            typ: Some(MountType::BIND),
            source: Some(self.known().resolv_conf.clone().ok_or_else(none)?),
            target: Some("/etc/resolv.conf".to_owned()),
            read_only: Some(true),
            ..Default::default()
        })
    }

    pub(super) async fn remove_resolver(&self) -> Result<()> {
        let (doing, name) = ("remove the resolver", self.run.resolver());
        self.remove_member(&name, doing).await?;
        remove_volume(&self.docker, &name, doing).await
    }
}
