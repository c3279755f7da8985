//! Open-loop clients: each request leaves at its intended time, whether or not earlier ones have been answered.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use blackstart_evidence::journal::Requests;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{History, Outcome, Sender, Sent, Words};
use crate::{
    clock::Clock,
    plan::{Draw, PlannedLoad},
    scenario::system::Request,
    world::{Outgoing, Reply, World},
};

/// A stream of requests at a fixed rate.
pub struct Stream {
    /// Who sends.
    pub sender: Sender,
    /// From one intended request to the next.
    pub interval: Duration,
    /// How long each waits for an answer.
    pub deadline: Duration,
    /// Which request comes next.
    pub draws: Box<dyn Iterator<Item = Draw> + Send>,
}

/// What all clients of a run share: the world, the clock, the requests as declared, and the history.
#[derive(Clone)]
pub struct Clients {
    /// Where requests go; all clients of a run go elsewhere together.
    world: Arc<RwLock<Arc<dyn World>>>,
    clock: Clock,
    load: Arc<PlannedLoad>,
    history: Arc<Mutex<History>>,
    words: Arc<Mutex<Words>>,
    /// What every token starts with, beside the sender.
    prefix: String,
    /// Where requests are kept as they end, where they are.
    kept: Option<Requests>,
}

impl Clients {
    /// Clients of a world.
    pub fn new(world: Arc<dyn World>, clock: Clock, load: PlannedLoad) -> Self {
        let world = Arc::new(RwLock::new(world));
        let (history, words) = (Arc::default(), Arc::default());
        Self { world, clock, load: Arc::new(load), history, words, prefix: String::new(), kept: None }
    }

    /// The same clients, whose requests are kept as they end.
    #[must_use]
    pub fn keeping(self, kept: Option<Requests>) -> Self {
        Self { kept, ..self }
    }

    /// Clients of another world, who know everything that was sent up to now and tell nobody what they send. Their
    /// tokens carry a name, so that none is used twice.
    #[must_use]
    pub fn beside(&self, world: Arc<dyn World>, name: &str) -> Self {
        let history = Arc::new(Mutex::new(self.history()));
        let world = Arc::new(RwLock::new(world));
        let (load, words) = (Arc::clone(&self.load), Arc::clone(&self.words));
        Self { world, history, words, prefix: format!("{name}-"), load, clock: self.clock, kept: None }
    }

    /// Sends every request from now on to another world. What is out already is answered, or not, where it went.
    pub fn redirect(&self, world: Arc<dyn World>) {
        *self.world.write().unwrap_or_else(PoisonError::into_inner) = world;
    }

    fn world(&self) -> Arc<dyn World> {
        Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The same clients with another past. What is still out goes into the past that it began in.
    pub fn with_past(&self, history: History) -> Self {
        Self { history: Arc::new(Mutex::new(history)), ..self.clone() }
    }

    /// Runs a stream until it is stopped, then waits for the answers that are still out.
    pub async fn run(self, stream: Stream, stop: CancellationToken) {
        let start_us = self.clock.now_us();
        let mut out = JoinSet::new();
        for (index, draw) in stream.draws.enumerate() {
            let intended_us = start_us + (stream.interval.as_micros() as u64) * index as u64;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(self.clock.at_us(intended_us)) => {}
            }
            let (clients, sender, deadline) = (self.clone(), stream.sender, stream.deadline);
            out.spawn(async move { clients.send(sender, index, &draw, intended_us, deadline).await });
            while out.try_join_next().is_some() {}
        }
        while out.join_next().await.is_some() {}
    }

    /// Sends one request and enters it into the history.
    pub async fn send(&self, sender: Sender, index: usize, draw: &Draw, intended_us: u64, deadline: Duration) -> Sent {
        let token = format!("{}{}", self.prefix, token(sender, index));
        let sent_us = self.clock.now_us();
        let (outcome, reply) = match self.load.requests.get(&draw.kind) {
            Some(declared) => {
                let (kind, number) = (&draw.kind, draw.number);
                let reply = self.world().send(&Outgoing { token: &token, kind, declared, number, deadline }).await;
                classify(declared, &reply)
            }
            None => (Outcome::Refused, format!("no request is named {}", draw.kind)),
        };
        let returned_us = self.clock.now_us();
        let token = token.into_boxed_str();
        let [kind, reply] = self.shared([&draw.kind, &reply]);
        let sent = Sent { token, sender, kind, intended_us, sent_us, returned_us, outcome, reply };
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.push(sent.clone());
        // Under the lock, so that the file has the order of the history.
        self.kept.iter().for_each(|kept| kept.tell(&sent));
        drop(history);
        sent
    }

    fn shared(&self, words: [&str; 2]) -> [Arc<str>; 2] {
        let mut known = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.map(|word| known.share(word))
    }

    /// The history so far.
    pub fn history(&self) -> History {
        self.history.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at the history so far without copying it.
    pub fn with_history<T>(&self, look: impl FnOnce(&History) -> T) -> T {
        look(&self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The token of the n-th request of a sender; it also says whose it is.
fn token(sender: Sender, index: usize) -> String {
    let prefix = match sender {
        Sender::Load => "load",
        Sender::Probe => "probe",
        Sender::Detector => "detect",
        Sender::WarmUp => "warm",
        Sender::Check => "check",
        Sender::TightLoop => "tight",
    };
    format!("{prefix}-{index:06}")
}

/// What a client knows after a reply. Whatever is not declared to be definite is not.
fn classify(request: &Request, reply: &Reply) -> (Outcome, String) {
    match reply {
        Reply::Answer { status } if request.acknowledged.contains(status) => (Outcome::Ok, status.to_string()),
        Reply::Answer { status } if request.refused.contains(status) => (Outcome::Refused, status.to_string()),
        Reply::Answer { status } => (Outcome::Indeterminate, status.to_string()),
        Reply::NotSent { reason } => (Outcome::Refused, reason.clone()),
        Reply::NoAnswer { reason } => (Outcome::Indeterminate, reason.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            method: None,
            path: "/requests".into(),
            body: Some(r#"{"token":"${token}","amount":${number}}"#.into()),
            acknowledged: vec![200],
            refused: vec![503],
        }
    }

    #[test]
    fn what_is_not_declared_definite_is_indeterminate() {
        let outcome = |reply: Reply| classify(&request(), &reply).0;
        assert_eq!(outcome(Reply::Answer { status: 200 }), Outcome::Ok);
        assert_eq!(outcome(Reply::Answer { status: 503 }), Outcome::Refused);
        assert_eq!(outcome(Reply::Answer { status: 502 }), Outcome::Indeterminate);
        assert_eq!(outcome(Reply::NotSent { reason: String::new() }), Outcome::Refused);
        assert_eq!(outcome(Reply::NoAnswer { reason: String::new() }), Outcome::Indeterminate);
    }

    #[test]
    fn a_request_carries_its_token_and_number() {
        let token = token(Sender::Load, 7);
        let declared = &request();
        let out = Outgoing { token: &token, kind: "place", declared, number: 42, deadline: Duration::from_secs(1) };
        assert_eq!(out.body().as_deref(), Some(r#"{"token":"load-000007","amount":42}"#));
        assert_eq!((out.method(), &*out.path()), ("POST", "/requests"));
    }
}
