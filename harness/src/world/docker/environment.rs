//! What this world is made of, for the record.

use std::collections::BTreeMap;

use super::DockerWorld;

impl DockerWorld {
    /// Versions, kernel, machine and images. What the engine does not tell is left out.
    pub(super) async fn describe(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut note = |name: &str, value: Option<String>| found.extend(value.map(|value| (name.to_owned(), value)));
        if let Ok(version) = self.docker.version().await {
            note("engine", version.version);
            note("engine_api", version.api_version);
        }
        if let Ok(info) = self.docker.info().await {
            note("kernel", info.kernel_version);
            note("operating_system", info.operating_system);
            note("architecture", info.architecture);
            note("storage_driver", info.driver);
            note("cgroup_version", info.cgroup_version.map(|version| version.to_string()));
            note("cpus", info.ncpu.map(|count| count.to_string()));
            note("memory_bytes", info.mem_total.map(|bytes| bytes.to_string()));
        }
        for (name, image) in &self.known().images {
            note(&format!("image {name}"), Some(format!("{} {}", image.tag, image.id)));
        }
        note("image of the tools", self.tools.get().map(|image| format!("{} {}", image.tag, image.id)));
        found
    }
}
