//! A way to the engine that can be cut: a socket of ours that passes everything on, until it is closed.

use std::{
    io,
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

/// The socket and what passes through it.
pub struct Way {
    socket: PathBuf,
    streams: Arc<Mutex<Option<Vec<UnixStream>>>>,
}

impl Way {
    /// Opens a way at a socket, to the engine at another.
    pub fn open(socket: &Path, engine: &Path) -> Self {
        let listener = UnixListener::bind(socket).expect("a socket");
        let streams = Arc::new(Mutex::new(Some(Vec::new())));
        let (kept, engine) = (Arc::clone(&streams), engine.to_owned());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = UnixStream::connect(&engine) else { continue };
                let mut kept = kept.lock().expect("streams");
                let Some(streams) = kept.as_mut() else { return };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    pass(from.try_clone().expect("a clone"), to.try_clone().expect("a clone"));
                }
                streams.extend([near, far]);
            }
        });
        Self { socket: socket.to_owned(), streams }
    }

    /// For `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// Cuts everything that passes, and lets nothing more in.
    pub fn close(&self) {
        let streams = self.streams.lock().expect("streams").take();
        std::fs::remove_file(&self.socket).expect("the socket goes");
        for stream in streams.into_iter().flatten() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn pass(mut from: UnixStream, mut to: UnixStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

/// The engine's own socket, where it has one.
pub fn engine_socket() -> Option<PathBuf> {
    let socket = match std::env::var("DOCKER_HOST") {
        Ok(host) => PathBuf::from(host.strip_prefix("unix://")?),
        Err(_) => PathBuf::from("/var/run/docker.sock"),
    };
    socket.exists().then_some(socket)
}
