//! Images: built from a folder under a tag that carries a digest of everything they are built from, so that a second
//! run builds nothing; or there already; or pulled.

use std::{collections::BTreeMap, fs::File, path::Path, time::Duration};

use bollard::{
    Docker, body_full,
    query_parameters::{BuildImageOptionsBuilder, BuilderVersion, CreateImageOptionsBuilder},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::{
    DockerWorld, dockerfile,
    errors::{Doing, classify, from_engine, status, words},
    names::LABEL,
    programs::find_program,
    tarball::{self, Entry},
};
use crate::{
    files::{Reach, ReachError},
    state,
    world::{ImageSource, ImageSpec, Result, WorldError, WorldErrorKind},
};

/// How many images are built at a time.
const BUILDS_AT_ONCE: usize = 2;
/// How long a pull may take.
const PULL_WITHIN: Duration = Duration::from_secs(300);
/// How long a build may take.
const BUILD_WITHIN: Duration = Duration::from_secs(900);
/// How many of the last lines of a failed build are shown.
const LAST_LINES: usize = 15;

/// What tells people how it goes.
pub(super) type Progress<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// An image that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Image {
    /// The tag by which containers are made from it.
    pub tag: String,
    /// The engine's digest of its content.
    pub id: String,
}

/// What an image is built from.
struct Recipe {
    name: String,
    tag: String,
    archive: Vec<u8>,
}

impl DockerWorld {
    /// Makes sure of these images, and of the one with our own tools.
    pub(super) async fn make_images(&self, specs: &[ImageSpec], progress: Progress<'_>) -> Result<()> {
        self.tools_image(progress).await?;
        let making: Vec<_> = specs.iter().map(|spec| make_image(&self.docker, spec, progress)).collect();
        let made: BTreeMap<_, _> = stream::iter(making).buffer_unordered(BUILDS_AT_ONCE).try_collect().await?;
        self.known().images.extend(made);
        Ok(())
    }

    /// The image that relay and helpers run, built where it is missing.
    pub(super) async fn tools_image(&self, progress: Progress<'_>) -> Result<&Image> {
        self.tools.get_or_try_init(|| make_tools_image(&self.docker, progress)).await
    }
}

/// Makes sure of the image with our own tools.
pub(super) async fn make_tools_image(docker: &Docker, progress: Progress<'_>) -> Result<Image> {
    let entry = Entry::copied("Dockerfile", include_bytes!("tools/Dockerfile"));
    build_where_missing(docker, "tools", vec![entry], progress).await
}

async fn make_image(docker: &Docker, spec: &ImageSpec, progress: Progress<'_>) -> Result<(String, Image)> {
    let image = match &spec.source {
        ImageSource::Existing(tag) => find_or_pull(docker, tag, progress).await?,
        ImageSource::Build { folder, reach, programs } => {
            let entries = context(&spec.name, folder, reach, programs)?;
            build_where_missing(docker, &spec.name, entries, progress).await?
        }
    };
    Ok((spec.name.clone(), image))
}

/// The folder and the programs, as they go to the engine.
fn context(name: &str, folder: &Path, reach: &Reach, programs: &[String]) -> Result<Vec<Entry>> {
    let unreadable = |error: ReachError| {
        let mend = error.mend().map(|mend| format!("; {mend}")).unwrap_or_default();
        let happened = format!("{}: {error}{mend}", folder.display());
        WorldError::new(WorldErrorKind::NotFound, format!("read what image {name} is built from"), happened)
    };
    let mut entries: Vec<Entry> = reach.read_folder(folder).map_err(unreadable)?.into_iter().map(Entry::from).collect();
    for program in programs {
        let file = find_program(program)?;
        entries.retain(|entry| entry.path != *program);
        entries.push(tarball::read_program(&file, program.clone()).map_err(|error| unreadable(error.into()))?);
    }
    Ok(entries)
}

pub(super) async fn build_where_missing(
    docker: &Docker,
    name: &str,
    entries: Vec<Entry>,
    progress: Progress<'_>,
) -> Result<Image> {
    let recipe = write_recipe(docker, name, &entries).await?;
    if let Some(image) = find(docker, &recipe.tag).await? {
        return Ok(image);
    }
    let _lock = lock(&recipe).await?;
    if let Some(image) = find(docker, &recipe.tag).await? {
        return Ok(image);
    }
    progress(&format!("building image {name}"));
    build(docker, recipe, progress).await
}

/// Two runs that need the same image build it once. The lock ends with the file's handle, also when we are killed.
async fn lock(recipe: &Recipe) -> Result<File> {
    let doing = format!("wait for another build of image {}", recipe.name);
    let tag = recipe.tag.clone();
    let locked = tokio::task::spawn_blocking(move || {
        let file = lock_file(&state::folder("locks")?, &tag)?;
        file.lock()?;
        Ok(file)
    });
    let result = locked.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    result.map_err(|error| WorldError::new(WorldErrorKind::Other, doing, error.to_string()).caused_by(error))
}

fn lock_file(folder: &Path, tag: &str) -> std::io::Result<File> {
    state::make(folder)?;
    state::open_lock(&folder.join(format!("{}.lock", tag.replace(['/', ':'], "-"))))
}

/// The tag is a digest of the Dockerfile, its context and the images that it starts from.
async fn write_recipe(docker: &Docker, name: &str, entries: &[Entry]) -> Result<Recipe> {
    let doing = format!("build image {name}");
    let bases = base_ids(docker, name, entries).await?;
    let tag = format!("blackstart/{name}:{}", digest(entries, &bases));
    let unpacked = |error: std::io::Error| WorldError::new(WorldErrorKind::Other, &doing, error.to_string());
    Ok(Recipe { name: name.to_owned(), tag, archive: tarball::pack(entries).map_err(unpacked)? })
}

async fn base_ids(docker: &Docker, name: &str, entries: &[Entry]) -> Result<Vec<String>> {
    let is_dockerfile = |entry: &&Entry| entry.path == "Dockerfile" && entry.link.is_none();
    let dockerfile = entries.iter().find(is_dockerfile).ok_or_else(|| {
        let happened = "its folder holds no Dockerfile, or one that is a link; put the file itself there";
        WorldError::new(WorldErrorKind::NotFound, format!("build image {name}"), happened)
    })?;
    let mut ids = Vec::new();
    for base in dockerfile::bases(&String::from_utf8_lossy(&dockerfile.bytes)) {
        match find(docker, &base).await? {
            Some(image) => ids.push(image.id),
            None => {
                let happened = format!("its base image {base} is not here; `ci/setup` makes or pulls it");
                return Err(WorldError::new(WorldErrorKind::NotFound, format!("build image {name}"), happened));
            }
        }
    }
    Ok(ids)
}

/// The first half of a SHA-256 over everything that an image is made from; each part with its length before it.
fn digest(entries: &[Entry], bases: &[String]) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    for entry in entries {
        add(entry.path.as_bytes());
        add(&entry.mode.to_be_bytes());
        add(&entry.bytes);
        if let Some(to) = &entry.link {
            add(to.as_os_str().as_encoded_bytes());
        }
    }
    bases.iter().for_each(|base| add(base.as_bytes()));
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

async fn build(docker: &Docker, recipe: Recipe, progress: Progress<'_>) -> Result<Image> {
    let Recipe { name, tag, archive } = recipe;
    let doing = format!("build image {name}");
    let labels = std::collections::HashMap::from([(LABEL, "image")]);
    let options = BuildImageOptionsBuilder::new()
        .t(&tag)
        .rm(true)
        .forcerm(true)
        .labels(&labels)
        .version(BuilderVersion::BuilderV1)
        .build();
    let mut steps = docker.build_image(options, None, Some(body_full(archive.into())));
    let mut lines: Vec<String> = Vec::new();
    let follow = async {
        while let Some(step) = steps.next().await {
            let said = step.map_err(|error| failed_build(&doing, &lines, error))?.stream.unwrap_or_default();
            for line in said.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
                // The engine's own chatter about layers tells a person nothing.
                if line.starts_with("Step ") {
                    progress(&format!("{name}: {line}"));
                }
                lines.push(line.to_owned());
            }
        }
        Ok::<_, WorldError>(())
    };
    timeout(BUILD_WITHIN, follow).await.map_err(|_| {
        WorldError::new(WorldErrorKind::TimedOut, &doing, format!("it took longer than {BUILD_WITHIN:?}"))
    })??;
    let missing = || WorldError::new(WorldErrorKind::Other, &doing, "the build ended without an image");
    find(docker, &tag).await?.ok_or_else(missing)
}

fn failed_build(doing: &str, lines: &[String], error: bollard::errors::Error) -> WorldError {
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    let happened = format!("{}; its last lines:\n{}", words(&error), last.join("\n"));
    WorldError::new(classify(&error), doing, happened).caused_by(error)
}

/// The image of a tag, where there is one.
pub(super) async fn find(docker: &Docker, tag: &str) -> Result<Option<Image>> {
    match docker.inspect_image(tag).await {
        Ok(found) => Ok(Some(Image { tag: tag.to_owned(), id: found.id.unwrap_or_default() })),
        Err(error) if status(&error) == Some(404) => Ok(None),
        Err(error) => Err(from_engine(format!("look for image {tag}"), error)),
    }
}

async fn find_or_pull(docker: &Docker, tag: &str, progress: Progress<'_>) -> Result<Image> {
    if let Some(image) = find(docker, tag).await? {
        return Ok(image);
    }
    progress(&format!("pulling image {tag}"));
    let doing = format!("pull image {tag}, which is not here");
    let tagged = if tag.contains('@') || dockerfile::has_tag(tag) { tag.to_owned() } else { format!("{tag}:latest") };
    let options = CreateImageOptionsBuilder::new().from_image(&tagged).build();
    let pull = docker.create_image(Some(options), None, None).try_for_each(|_| async { Ok(()) });
    match timeout(PULL_WITHIN, pull).await {
        Ok(pulled) => pulled.doing(&doing)?,
        Err(_) => {
            let happened = format!("no registry gave it within {PULL_WITHIN:?}");
            return Err(WorldError::new(WorldErrorKind::TimedOut, doing, happened));
        }
    }
    let missing = || WorldError::new(WorldErrorKind::NotFound, &doing, "the pull ended without an image");
    find(docker, tag).await?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_of_a_build_is_ours_alone_and_empties_no_file_that_it_could_be_led_to() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = std::env::temp_dir().join(format!("blackstart-locks-{:08x}", rand::random::<u32>()));
        let locked = lock_file(&folder, "blackstart/array:00ff").expect("a lock");
        assert_eq!(locked.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        assert!(folder.join("blackstart-array-00ff.lock").is_file());
        std::fs::write(folder.join("victim"), "kept").expect("written");
        symlink(folder.join("victim"), folder.join("blackstart-tools-00ff.lock")).expect("a link");
        assert!(lock_file(&folder, "blackstart/tools:00ff").is_err());
        assert_eq!(std::fs::read(folder.join("victim")).expect("a file"), b"kept");
        std::fs::remove_dir_all(folder).expect("it goes");
    }

    #[test]
    fn the_digest_follows_everything_that_goes_in() {
        let file = |path: &str, bytes: &[u8]| Entry::copied(path, bytes);
        let base = ["sha256:1".to_owned()];
        let first = digest(&[file("Dockerfile", b"FROM x")], &base);
        assert_eq!(first.len(), 16);
        assert_eq!(first, digest(&[file("Dockerfile", b"FROM x")], &base));
        assert_ne!(first, digest(&[file("Dockerfile", b"FROM y")], &base));
        assert_ne!(first, digest(&[file("Dockerfile", b"FROM x")], &["sha256:2".to_owned()]));
        assert_ne!(first, digest(&[Entry { mode: 0o755, ..file("Dockerfile", b"FROM x") }], &base));
        let link = Entry { link: Some("elsewhere".into()), ..file("Dockerfile", b"") };
        assert_ne!(digest(&[link], &base), digest(&[file("Dockerfile", b"")], &base));
        assert_ne!(digest(&[file("a", b"bc")], &[]), digest(&[file("ab", b"c")], &[]));
    }
}
