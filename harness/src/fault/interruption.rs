//! A kill in the middle of something that takes its time: a backup, or a restore.

use std::time::Duration;

use super::{Scene, first_line, without_effect};
use crate::{
    scenario::drill::Interruption,
    topology,
    world::{HalfDone, Result, WorldErrorKind},
};

/// How long what was interrupted may take to notice. Where the other end of a connection has died, that is a matter of
/// its time limits.
const NOTICED_WITHIN: Duration = Duration::from_secs(90);

impl Scene {
    /// Starts a node that is down, and waits until it answers.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn start_again(&self, node: &str) -> Result<()> {
        self.world.start(node).await?;
        match self.plan.node(node) {
            Some(planned) => topology::until_ready(self.world.as_ref(), &self.plan, &planned.node).await,
            None => Ok(()),
        }
    }

    /// Kills a node in the middle of some work that stands still there, and sees that the work came to nothing. Gives what
    /// was seen; the node is down then.
    ///
    /// # Errors
    /// When the work ends well in spite of it, or does not end; or the world could not do it.
    pub async fn interrupt(&self, what: &str, interruption: &Interruption, work: HalfDone) -> Result<String> {
        let Interruption { kill } = interruption;
        let claim = format!("{what} is interrupted");
        self.world.kill(kill).await?;
        // A kill counts from its delivery: what it has not ended yet could go on as soon as it is let.
        self.world.await_down(kill).await?;
        let seen = match tokio::time::timeout(NOTICED_WITHIN, work.rest).await {
            Ok(Ok(output)) if output.status == 0 => {
                return Err(without_effect(&claim, format!("it ended well although {kill} was killed")));
            }
            Ok(Ok(output)) => format!("it ended with exit status {}", output.status),
            Ok(Err(error)) if matches!(error.kind, WorldErrorKind::EngineGone | WorldErrorKind::TooManyFiles) => {
                return Err(error);
            }
            Ok(Err(error)) => format!("it ended with {}", first_line(&error.happened).trim_end_matches([':', ' '])),
            Err(_) => {
                return Err(without_effect(
                    &claim,
                    format!("it had not ended {NOTICED_WITHIN:?} after {kill} was killed"),
                ));
            }
        };
        Ok(format!("{kill} was killed in the middle of {what} ({}); {seen}", work.seen))
    }
}
