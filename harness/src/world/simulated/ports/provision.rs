//! Making and removing. What is being made counts as there from the first moment, and until the last while it is being
//! removed: a drill that is broken off half-way must still clear it away.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::super::{SimulatedWorld, draws::MAKE};
use crate::world::{ImageSpec, Provision, Resource, Result, WorldError, WorldErrorKind};

#[async_trait]
impl Provision for SimulatedWorld {
    async fn prepare_images(
        &self,
        images: &[ImageSpec],
        progress: &(dyn for<'a> Fn(&'a str) + Send + Sync),
    ) -> Result<BTreeMap<String, String>> {
        self.enter("prepare images")?;
        progress("the simulated world needs no images");
        Ok(images.iter().map(|image| (image.name.clone(), "simulated".to_owned())).collect())
    }

    async fn create(&self, resource: &Resource) -> Result<()> {
        let doing = format!("create {}", resource.name());
        let failure = self.enter(&doing);
        let place = self.place_of(&doing, resource)?;
        self.add(&doing, resource)?;
        self.spend(&MAKE, place).await;
        failure?;
        if let Resource::Node(_) = resource {
            self.locked().model.nodes[place].exists = true;
        }
        if let Resource::Disk { .. } = resource {
            self.change(|model| model.add_disk(place));
        }
        if let Resource::Disk { from: Some(saved), .. } = resource {
            self.have_saved(&saved.name);
            let loaded = self.change(|model| model.load_disk(place, &saved.name));
            loaded.map_err(|why| WorldError::new(WorldErrorKind::NotFound, &doing, why))?;
        }
        Ok(())
    }

    async fn remove(&self, resource: &Resource) -> Result<()> {
        let doing = format!("remove {}", resource.name());
        self.enter(&doing)?;
        if !self.locked().stock.has(&resource.name()) {
            return Ok(());
        }
        let place = self.place_of(&doing, resource)?;
        if matches!(resource, Resource::Node(_)) {
            self.seal();
        }
        self.spend(&MAKE, place).await;
        let holder = self.locked().stock.holder_of(resource);
        if let Some(holder) = holder {
            return Err(WorldError::new(WorldErrorKind::Answered, doing, format!("{holder} still uses it")));
        }
        if matches!(resource, Resource::Node(_)) {
            self.change(|model| {
                model.kill(place);
                model.nodes[place].exists = false;
            });
        }
        self.locked().stock.remove(&resource.name());
        Ok(())
    }

    async fn answers(&self) -> Result<()> {
        Ok(())
    }

    async fn leftovers(&self) -> Result<Vec<String>> {
        Ok(self.locked().stock.names())
    }

    async fn environment(&self) -> BTreeMap<String, String> {
        let facts = [("world", "simulated".to_owned()), ("seed", self.seed.to_string())];
        facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    async fn logs(&self, node: &str) -> Result<String> {
        self.node(&format!("read the log of {node}"), node)?;
        Ok(format!("{node} is simulated and prints nothing"))
    }
}

impl SimulatedWorld {
    /// The node at which something is made; what belongs to none takes the time of the first.
    fn place_of(&self, doing: &str, resource: &Resource) -> Result<usize> {
        match resource {
            Resource::Networks | Resource::Array(_) | Resource::Relay { .. } => Ok(0),
            Resource::Volume { node }
            | Resource::Disk { node, .. }
            | Resource::Helper { node }
            | Resource::Wiper { node } => self.node(doing, node),
            Resource::Node(spec) => self.node(doing, &spec.name),
        }
    }

    fn add(&self, doing: &str, resource: &Resource) -> Result<()> {
        let state = &mut *self.now();
        if let Some(missing) = state.stock.missing_for(resource) {
            return Err(WorldError::new(WorldErrorKind::NotFound, doing, format!("there is no {missing}")));
        }
        if let Resource::Helper { node } = resource {
            let runs = state.model.shape.id(node).is_some_and(|node| state.model.is_up(node));
            if !runs {
                return Err(WorldError::new(WorldErrorKind::Answered, doing, format!("{node} does not run")));
            }
        }
        if state.stock.add(resource) { Ok(()) } else { Err(WorldError::new(WorldErrorKind::Taken, doing, "it exists")) }
    }

    /// The drill is over: what is true now stays the truth, whatever the removal does.
    fn seal(&self) {
        self.run.seal(self.place, self.clock.now_us());
        let state = &mut *self.now();
        if state.sealed.is_none() {
            state.sealed = Some(state.model.truth());
        }
    }
}
