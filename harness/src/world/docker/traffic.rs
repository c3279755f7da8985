//! Requests of clients, and what became of them: never sent, answered, or sent without an answer.

use async_trait::async_trait;
use reqwest::{Method, header::CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};

use super::{DockerWorld, errors::chain};
use crate::world::{NodeState, Outgoing, Power, Reply, Result, Traffic};

impl DockerWorld {
    /// After a start: the engine may have given the service another port of this machine.
    pub(super) async fn learn_service_port(&self, node: &str) -> Result<()> {
        let service = self.known().service.clone();
        let Some((_, port)) = service.filter(|(service, _)| service == node) else { return Ok(()) };
        let ports = match self.state(node).await? {
            NodeState::Down => Default::default(),
            _ => self.published_ports(&self.run.container(node)).await?,
        };
        self.known().service_port = ports.get(&port).copied();
        Ok(())
    }

    fn http_request(&self, outgoing: &Outgoing<'_>, port: u16) -> std::result::Result<reqwest::Request, String> {
        let method = Method::from_bytes(outgoing.method().as_bytes()).map_err(|error| error.to_string())?;
        let mut request = self.http.request(method, format!("http://127.0.0.1:{port}{}", outgoing.path()));
        if let Some(body) = outgoing.body() {
            let json = body.trim_start().starts_with(['{', '[']);
            let kind = if json { "application/json" } else { "text/plain; charset=utf-8" };
            request = request.header(CONTENT_TYPE, kind).body(body);
        }
        request.build().map_err(|error| chain(&error))
    }
}

/// A connection that could not be made carried nothing. Anything later may have been heard: a kept connection that
/// turns out closed is tried anew by the client itself only where nothing of the request was written.
fn classify(error: &reqwest::Error) -> Reply {
    let reason = chain(error);
    if error.is_connect() { Reply::NotSent { reason } } else { Reply::NoAnswer { reason } }
}

#[async_trait]
impl Traffic for DockerWorld {
    async fn send(&self, request: &Outgoing<'_>) -> Reply {
        let deadline = Instant::now() + request.deadline;
        let port = self.known().service_port;
        let Some(port) = port else {
            return Reply::NotSent { reason: "no node publishes the service".to_owned() };
        };
        let prepared = match self.http_request(request, port) {
            Ok(prepared) => prepared,
            Err(reason) => return Reply::NotSent { reason },
        };
        let mut response = match timeout_at(deadline, self.http.execute(prepared)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return classify(&error),
            Err(_) => return Reply::NoAnswer { reason: format!("no answer within {:?}", request.deadline) },
        };
        let status = response.status().as_u16();
        // Read to its end, so that the connection can be used again. The answer stands already.
        let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
        let _ = timeout_at(deadline, rest).await;
        Reply::Answer { status }
    }
}
