//! What a container may take of its machine, and the rights of root that its programs have.

use crate::{scenario::rights::Capability, world::Limits};

/// What the containers of our own may take: none of them holds data or runs more than a few programs.
pub(super) const OWN: Limits = Limits { memory_bytes: 512 * 1024 * 1024, processes: 256 };

/// A right as the engine calls it.
pub(super) const fn word(capability: Capability) -> &'static str {
    match capability {
        Capability::Chown => "CHOWN",
        Capability::DacOverride => "DAC_OVERRIDE",
        Capability::Fowner => "FOWNER",
        Capability::Kill => "KILL",
        Capability::Setgid => "SETGID",
        Capability::Setuid => "SETUID",
    }
}
