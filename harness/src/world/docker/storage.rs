//! The port of the storage array: each of its words is one command in the array's container.

use async_trait::async_trait;

use super::{
    DockerWorld,
    array::{plain, pool_word},
};
use crate::world::{DiskState, Marks, Result, Saved, Storage, WorldError, WorldErrorKind, WriteAttempt};

/// The exit status by which a command says that the disk refused.
const REFUSED: i64 = 7;

#[async_trait]
impl Storage for DockerWorld {
    async fn snapshot(&self, name: &str) -> Result<u64> {
        let doing = format!("take snapshot {name}");
        let output = self.at_array(&doing, &["snapshot", &self.group(), plain(name, &doing)?]).await?;
        read_bytes(&output, &doing)
    }

    async fn copy_disks(&self, name: &str) -> Result<u64> {
        let doing = format!("copy the disks as {name}");
        let output = self.move_at_array(&doing, &["copy", &self.group(), plain(name, &doing)?]).await?;
        read_bytes(&output, &doing)
    }

    async fn replicate(&self, name: &str, base: Option<&str>) -> Result<u64> {
        let doing = format!("replicate {name}");
        let mut words = vec!["replicate", plain(name, &doing)?];
        if let Some(base) = base {
            words.push(plain(base, &doing)?);
        }
        read_bytes(&self.move_at_array(&doing, &words).await?, &doing)
    }

    async fn revert(&self, node: &str, saved: &Saved) -> Result<()> {
        let doing = format!("put the disk of {node} back to {}", saved.name);
        let name = plain(&saved.name, &doing)?;
        let words = ["revert", &self.group(), plain(node, &doing)?, pool_word(saved.pool), name];
        self.move_at_array(&doing, &words).await.map(drop)
    }

    async fn inspect(&self, node: &str) -> Result<DiskState> {
        let doing = format!("look at the disk of {node}");
        let output = self.at_disk(&doing, "inspect", node).await?;
        read_state(&output).ok_or_else(|| unreadable(&doing, &output))
    }

    async fn start_witness(&self) -> Result<()> {
        self.at_array("start the witness", &["start-witness", &self.group()]).await.map(drop)
    }

    async fn stop_witness(&self) -> Result<()> {
        self.at_array("stop the witness", &["stop-witness", &self.group()]).await.map(drop)
    }

    async fn lose_unflushed(&self, nodes: &[String]) -> Result<()> {
        let doing = format!("take the power of the disks of {} away", nodes.join(", "));
        let group = self.group();
        let mut words = vec!["lose-unflushed", &group];
        for node in nodes {
            words.push(plain(node, &doing)?);
        }
        self.at_array(&doing, &words).await.map(drop)
    }

    async fn marks(&self, node: &str) -> Result<Marks> {
        let doing = format!("look for marks on the disk of {node}");
        let output = self.at_disk(&doing, "marks", node).await?;
        read_marks(&output).ok_or_else(|| unreadable(&doing, &output))
    }

    async fn fill(&self, node: &str) -> Result<u64> {
        let doing = format!("fill the disk of {node}");
        let output = self.move_at_array(&doing, &["fill", &self.group(), plain(node, &doing)?]).await?;
        read_bytes(&output, &doing)
    }

    async fn make_room(&self, node: &str) -> Result<()> {
        self.at_disk(&format!("make room on the disk of {node}"), "make-room", node).await.map(drop)
    }

    async fn fail_disk(&self, node: &str) -> Result<()> {
        self.at_disk(&format!("take the disk of {node} away"), "fail-disk", node).await.map(drop)
    }

    async fn try_disk(&self, node: &str) -> Result<WriteAttempt> {
        let doing = format!("try the disk of {node}");
        let tried = self.try_at_array(&doing, &["try-disk", &self.group(), plain(node, &doing)?]).await?;
        if tried.status == REFUSED {
            return Ok(WriteAttempt::Refused(tried.output.trim().to_owned()));
        }
        tried.success(doing).map(|_| WriteAttempt::Accepted)
    }
}

impl DockerWorld {
    async fn at_disk(&self, doing: &str, command: &str, node: &str) -> Result<String> {
        self.at_array(doing, &[command, &self.group(), plain(node, doing)?]).await
    }
}

fn unreadable(doing: &str, output: &str) -> WorldError {
    WorldError::new(WorldErrorKind::Other, doing, format!("the array printed what nobody expects: {output}"))
}

/// The number that a command prints last: before it, programs may warn of anything.
fn read_bytes(output: &str, doing: &str) -> Result<u64> {
    let last = output.lines().last().unwrap_or_default().trim();
    last.parse().map_err(|_| unreadable(doing, output))
}

/// One line with the verdict and the witness, and what the check said.
fn read_state(output: &str) -> Option<DiskState> {
    let (first, detail) = output.split_once('\n')?;
    let (verdict, witness) = first.split_once(' ')?;
    let is_sound = match verdict {
        "sound" => true,
        "unsound" => false,
        _ => return None,
    };
    let witness = match witness {
        "none" => None,
        number => Some(number.parse().ok()?),
    };
    Some(DiskState { is_sound, detail: detail.trim().to_owned(), witness })
}

fn read_marks(output: &str) -> Option<Marks> {
    let is_there = |word: &str| match word {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    };
    let (flushed, unflushed) = output.lines().last()?.split_once(' ')?;
    Some(Marks { flushed: is_there(flushed)?, unflushed: is_there(unflushed)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_array_prints_is_read_and_nothing_else() {
        assert_eq!(read_bytes("warning: something\n4096", "x").ok(), Some(4096));
        assert!(read_bytes("", "x").is_err() && read_bytes("4096 bytes", "x").is_err());
        let sound = DiskState { is_sound: true, detail: "nothing".into(), witness: Some(7) };
        assert_eq!(read_state("sound 7\nnothing\n"), Some(sound));
        let unsound = DiskState { is_sound: false, detail: "bad\nworse".into(), witness: None };
        assert_eq!(read_state("unsound none\nbad\nworse\n"), Some(unsound));
        assert_eq!(read_state("sound\nnothing"), None);
        assert_eq!(read_state("sound seven\nnothing"), None);
        assert_eq!(read_marks("yes no"), Some(Marks { flushed: true, unflushed: false }));
        assert_eq!(read_marks("yes"), None);
    }
}
