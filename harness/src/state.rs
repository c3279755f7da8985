//! The state folder: where ledgers and locks lie, whatever `--out` was.
//!
//! `sweep` removes things as root by what it reads there, so only this user may write to it: the folder and the one above
//! it are ours and no links, nobody else can put others in their place, and a file in it counts only if it is a regular file of
//! ours.

use std::{
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::{fs::OFlags, process::geteuid};

/// Files that are longer are none of ours.
const LONGEST_BYTES: u64 = 16 * 1024 * 1024;
/// The bits of a folder's mode by which others may write in it.
const OTHERS_MAY_WRITE: u32 = 0o022;
/// The bit by which everybody may.
const ALL_MAY_WRITE: u32 = 0o002;
/// The bit by which a folder that all may write, such as `/tmp`, keeps them from renaming what is not theirs.
const STICKY: u32 = 0o1000;

/// A folder of ours under `$XDG_STATE_HOME/blackstart`, `~/.local/state/blackstart`, or the same below the home folder that
/// the system's list of users gives where `HOME` is not set.
///
/// # Errors
/// Where none of these is known.
pub fn folder(name: &str) -> io::Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    base(state, std::env::home_dir()).map(|base| base.join("blackstart").join(name))
}

/// A relative or empty path means nothing, by the specification of these folders.
fn base(state: Option<PathBuf>, home: Option<PathBuf>) -> io::Result<PathBuf> {
    let is_whole = |path: &PathBuf| path.is_absolute();
    let of_home = || home.filter(is_whole).map(|home| home.join(".local/state"));
    state.filter(is_whole).or_else(of_home).ok_or_else(|| {
        let why = "this user has no home folder to keep the state of runs in: set XDG_STATE_HOME to an absolute path";
        io::Error::new(io::ErrorKind::NotFound, why)
    })
}

/// Makes a folder that only this user may write.
///
/// # Errors
/// Where it cannot be made, or is there and is not only ours.
pub fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let found = check(folder)?;
    // What an earlier version made could be listed by others.
    if found.mode() & 0o077 == 0 { Ok(()) } else { fs::set_permissions(folder, fs::Permissions::from_mode(0o700)) }
}

/// Whether a folder and the one above it are what nobody else could have put there.
///
/// # Errors
/// Where it is not there, or is a link, of another user, or can be written by others.
pub fn check(folder: &Path) -> io::Result<Metadata> {
    let found = fs::symlink_metadata(folder)?;
    refuse(folder, flaw(&found, geteuid().as_raw()))?;
    if let Some(above) = folder.parent().filter(|above| !above.as_os_str().is_empty()) {
        refuse(above, flaw_above(&fs::symlink_metadata(above)?, geteuid().as_raw()))?;
        // What nothing stands above cannot be put elsewhere.
        for further in fs::canonicalize(above)?.ancestors().skip(1).filter(|further| further.parent().is_some()) {
            refuse(further, flaw_further(&fs::symlink_metadata(further)?, geteuid().as_raw()))?;
        }
    }
    Ok(found)
}

fn flaw(found: &Metadata, user: u32) -> Option<&'static str> {
    if !found.is_dir() {
        Some("it is not a folder")
    } else if found.uid() != user {
        Some("it belongs to another user")
    } else if found.mode() & OTHERS_MAY_WRITE != 0 {
        Some("others may write in it")
    } else {
        None
    }
}

fn flaw_above(found: &Metadata, user: u32) -> Option<&'static str> {
    if !found.is_dir() {
        Some("it is not a folder")
    } else if found.uid() != user && found.uid() != 0 {
        Some("it belongs to another user")
    } else if found.mode() & OTHERS_MAY_WRITE != 0 && found.mode() & STICKY == 0 {
        Some("others may write in it")
    } else {
        None
    }
}

/// Further up, a group is trusted: on many systems it holds nobody but its user.
fn flaw_further(found: &Metadata, user: u32) -> Option<&'static str> {
    if found.uid() != user && found.uid() != 0 {
        Some("it belongs to another user, who can put another folder in its place")
    } else if found.mode() & ALL_MAY_WRITE != 0 && found.mode() & STICKY == 0 {
        Some("everybody may write in it, and can put another folder in its place")
    } else {
        None
    }
}

fn refuse(path: &Path, flaw: Option<&str>) -> io::Result<()> {
    let Some(flaw) = flaw else { return Ok(()) };
    let mend = "remove it, or set XDG_STATE_HOME to a folder that only you may write";
    let why = format!("{} is not trusted with the state of runs, as {flaw}; {mend}", path.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}

/// What a file holds, if it is a regular file of ours.
///
/// # Errors
/// Where it is not, or cannot be read.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(OpenOptions::new().read(true), path)?;
    let mut bytes = Vec::new();
    file.by_ref().take(LONGEST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Opens a file that is only held to keep others waiting. What lies in it stays.
///
/// # Errors
/// Where it cannot be made, or is there and is no regular file of ours.
pub fn open_lock(path: &Path) -> io::Result<File> {
    open(OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600), path)
}

/// Opens without following a link, and without waiting for anybody at the other end of a pipe.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    let is_ours = found.is_file() && found.uid() == geteuid().as_raw();
    if is_ours { Ok(file) } else { Err(io::Error::other(format!("{} is not a regular file of ours", path.display()))) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Room(PathBuf);

    impl Room {
        fn new() -> Self {
            let room = std::env::temp_dir().join(format!("blackstart-state-{:08x}", rand::random::<u32>()));
            make(&room).unwrap();
            Self(room)
        }
    }

    impl Drop for Room {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn without_a_home_there_is_no_guess() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(base(path("/state"), path("/home/u")).unwrap(), Path::new("/state"));
        assert_eq!(base(path("state"), path("/home/u")).unwrap(), Path::new("/home/u/.local/state"));
        assert_eq!(base(None, path("/home/u")).unwrap(), Path::new("/home/u/.local/state"));
        for home in [None, path(""), path("tmp")] {
            assert!(base(None, home).unwrap_err().to_string().contains("XDG_STATE_HOME"));
        }
    }

    #[test]
    fn the_folder_is_only_ours() {
        let room = Room::new();
        let folder = room.0.join("ledgers");
        make(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        make(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700, "that of an earlier version is closed");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let refused = make(&folder).unwrap_err().to_string();
        assert!(refused.contains("others may write") && refused.contains("XDG_STATE_HOME"), "{refused}");
    }

    #[test]
    fn a_folder_that_others_can_put_another_one_in_the_place_of_is_refused() {
        let room = Room::new();
        let folder = room.0.join("open/blackstart/ledgers");
        make(&folder).unwrap();
        fs::set_permissions(room.0.join("open"), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = make(&folder).unwrap_err().to_string();
        assert!(refused.contains("open is not trusted") && refused.contains("everybody may write"), "{refused}");
        fs::set_permissions(room.0.join("open"), fs::Permissions::from_mode(0o1777)).unwrap();
        make(&folder).unwrap();
        fs::set_permissions(room.0.join("open"), fs::Permissions::from_mode(0o775)).unwrap();
        make(&folder).unwrap();
    }

    #[test]
    fn a_link_in_place_of_the_folder_or_of_the_one_above_is_refused() {
        let room = Room::new();
        let real = room.0.join("real");
        make(&real).unwrap();
        symlink(&real, room.0.join("link")).unwrap();
        assert!(make(&room.0.join("link")).is_err());
        assert!(make(&room.0.join("link/ledgers")).is_err());
    }

    #[test]
    fn a_folder_of_another_user_is_refused() {
        let found = fs::metadata("/proc").unwrap();
        assert_eq!(flaw(&found, found.uid() + 1), Some("it belongs to another user"));
        assert_eq!(flaw(&found, found.uid()), None);
        assert_eq!(flaw_above(&fs::metadata("/tmp").unwrap(), 4711), None, "nobody renames what is not theirs there");
    }

    #[test]
    fn only_a_regular_file_of_ours_is_read() {
        let room = Room::new();
        let (file, link, pipe) = (room.0.join("file"), room.0.join("link"), room.0.join("pipe"));
        fs::write(&file, "ours").unwrap();
        symlink(&file, &link).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert_eq!(read(&file).unwrap(), b"ours");
        assert!(read(&link).is_err(), "a link");
        assert!(read(&pipe).is_err(), "a pipe, and nobody waits for its other end");
    }

    #[test]
    fn a_lock_follows_no_link_and_empties_nothing() {
        let room = Room::new();
        let (lock, victim, link) = (room.0.join("lock"), room.0.join("victim"), room.0.join("link"));
        drop(open_lock(&lock).unwrap());
        assert_eq!(mode(&lock), 0o600);
        fs::write(&victim, "kept").unwrap();
        drop(open_lock(&victim).unwrap());
        assert_eq!(fs::read(&victim).unwrap(), b"kept");
        symlink(&victim, &link).unwrap();
        assert!(open_lock(&link).is_err());
        symlink(room.0.join("not-there"), room.0.join("dangling")).unwrap();
        assert!(open_lock(&room.0.join("dangling")).is_err());
        assert!(!room.0.join("not-there").exists());
    }
}
