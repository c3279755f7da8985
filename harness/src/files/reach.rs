//! Which files a declaration may reach: regular files below the root of the repository that holds it, or below a folder
//! that the command line allows.
//!
//! A declaration may come from anyone, as with a pull request, and what it names ends up in refusals, in containers and
//! in evidence. So a path is resolved first, with every link on its way, and must then lie below a root; it is opened
//! from the root's own handle, so that a link put there in between leads nowhere either.

use std::{
    fmt, io,
    path::{Component, Path, PathBuf},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, OpenOptions},
};

use super::{Limit, NEVER_WAIT, all_of, demand_regular};

/// The folders below which a declaration may reach files, with every link on their way resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    roots: Vec<PathBuf>,
}

/// Why a file cannot be reached.
#[derive(Debug)]
pub enum ReachError {
    /// It lies elsewhere.
    Outside {
        /// The root of what may be reached.
        root: PathBuf,
        /// The folder in which it lies, as far as that may be told.
        folder: PathBuf,
    },
    /// It lies where it may be reached, and cannot be read.
    Unreadable(io::Error),
}

impl ReachError {
    /// The mend, where a file elsewhere is the problem.
    pub fn mend(&self) -> Option<String> {
        match self {
            Self::Outside { folder, .. } => Some(format!(
                "put it there; or, if you trust whoever wrote this, allow its folder by `--allow {}`",
                folder.display()
            )),
            Self::Unreadable(_) => None,
        }
    }
}

impl fmt::Display for ReachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outside { root, .. } => {
                write!(f, "it lies outside of {}, the most that a declaration there may reach", root.display())
            }
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReachError {}

impl From<io::Error> for ReachError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl Reach {
    /// What a declaration in this file may reach, beside the folders allowed.
    ///
    /// # Errors
    /// Where one of the folders is not there.
    pub fn of(file: &Path, allowed: &[PathBuf]) -> io::Result<Self> {
        let mut roots = vec![root_of(file)?];
        for folder in allowed {
            let resolved = folder.canonicalize().map_err(|error| {
                io::Error::new(error.kind(), format!("the allowed folder {} is not there: {error}", folder.display()))
            })?;
            roots.push(resolved);
        }
        Ok(Self { roots })
    }

    /// Everything below one folder.
    ///
    /// # Errors
    /// Where it is not there.
    pub fn below(folder: &Path) -> io::Result<Self> {
        Ok(Self { roots: vec![folder.canonicalize()?] })
    }

    /// The bytes of a regular file.
    ///
    /// # Errors
    /// Where it lies elsewhere, cannot be read, is no regular file, or is larger than its kind may be.
    pub fn read(&self, path: &Path, limit: Limit) -> Result<Vec<u8>, ReachError> {
        let (root, relative) = self.resolve(path)?;
        Ok(all_of(&open_in(&root, &relative)?, limit)?)
    }

    /// That a path leads to a regular file.
    ///
    /// # Errors
    /// Where it does not.
    pub fn demand_file(&self, path: &Path) -> Result<(), ReachError> {
        let (root, relative) = self.resolve(path)?;
        open_in(&root, &relative)?;
        Ok(())
    }

    /// A handle on a folder.
    pub(super) fn folder(&self, path: &Path) -> Result<Dir, ReachError> {
        let (root, relative) = self.resolve(path)?;
        if relative.as_os_str().is_empty() { Ok(root) } else { Ok(root.open_dir(relative)?) }
    }

    /// A root, and the path of a file from there on, in which no link is left.
    fn resolve(&self, path: &Path) -> Result<(Dir, PathBuf), ReachError> {
        let resolved = path.canonicalize();
        let known = resolved.as_deref().map_or_else(|_| nearest_that_exists(path), |path| Some(path.to_owned()));
        // What is not there is told only of folders that may be reached.
        let inside = known.and_then(|known| self.roots.iter().find(|root| known.starts_with(root)));
        let Some(root) = inside else { return Err(self.outside(path)) };
        let resolved = resolved?;
        let relative = resolved.strip_prefix(root).unwrap_or(&resolved).to_owned();
        Ok((Dir::open_ambient_dir(root, ambient_authority())?, relative))
    }

    fn outside(&self, path: &Path) -> ReachError {
        let folder = path.parent().unwrap_or(path).to_owned();
        ReachError::Outside { root: self.roots.first().cloned().unwrap_or_default(), folder }
    }
}

fn open_in(root: &Dir, relative: &Path) -> io::Result<std::fs::File> {
    let kind = root.symlink_metadata(relative)?;
    if !kind.is_file() && !kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    cap_std::fs::OpenOptionsExt::custom_flags(&mut options, NEVER_WAIT);
    let file = root.open_with(relative, &options)?.into_std();
    demand_regular(&file.metadata()?)?;
    Ok(file)
}

fn nearest_that_exists(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find_map(|folder| match folder.as_os_str().is_empty() {
        true => Path::new(".").canonicalize().ok(),
        false => folder.canonicalize().ok(),
    })
}

/// The root of what a declaration may reach: that of its repository; where it is in none, the folder of an unpacked
/// archive, or the working folder if it lies below that, or its own folder.
fn root_of(file: &Path) -> io::Result<PathBuf> {
    let named = without_detours(file)?;
    let named = named.parent().unwrap_or(&named);
    let folder = named.canonicalize()?;
    if let Some(root) = repository_as_named(named) {
        return Ok(root);
    }
    let holding = |name: &str| folder.ancestors().find(|folder| folder.join(name).symlink_metadata().is_ok());
    let below = |wide: &Path| !is_too_wide(wide) && folder.starts_with(wide);
    let archive = || holding(".gitignore").filter(|root| below(root)).map(Path::to_owned);
    let working = || std::env::current_dir().and_then(|here| here.canonicalize()).ok().filter(|here| below(here));
    Ok(holding(".git").map(Path::to_owned).or_else(archive).or_else(working).unwrap_or(folder))
}

/// The repository in which a folder lies as it is named: the innermost, unless a link leads there from another one.
fn repository_as_named(folder: &Path) -> Option<PathBuf> {
    let holds_git = |folder: &&Path| folder.join(".git").symlink_metadata().is_ok();
    let mut inwards: Vec<PathBuf> =
        folder.ancestors().filter(holds_git).filter_map(|root| root.canonicalize().ok()).collect();
    inwards.reverse();
    inwards.into_iter().reduce(|outer, inner| if inner.starts_with(&outer) { inner } else { outer })
}

/// Whoever stands at the top of the disk, or at home, has not meant that all of it may be reached.
fn is_too_wide(folder: &Path) -> bool {
    folder.parent().is_none()
        || std::env::home_dir().is_some_and(|home| home.canonicalize().is_ok_and(|it| it == folder))
}

/// A path from the top of the disk, without `..`.
fn without_detours(path: &Path) -> io::Result<PathBuf> {
    let mut plain = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        if part == Component::ParentDir {
            plain = plain.canonicalize()?;
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    Ok(plain)
}
