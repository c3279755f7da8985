//! One stream of random numbers per purpose, so that one more draw here reshuffles nothing there.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The stream of a seed for one purpose, such as `victim of fault 1`.
pub fn stream(seed: u64, purpose: &str) -> ChaCha8Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(purpose.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn streams_differ_by_purpose_and_repeat_by_seed() {
        let draw = |seed, purpose| stream(seed, purpose).random::<u64>();
        assert_eq!(draw(7, "victim"), draw(7, "victim"));
        assert_ne!(draw(7, "victim"), draw(7, "time"));
        assert_ne!(draw(7, "victim"), draw(8, "victim"));
    }
}
