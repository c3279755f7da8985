//! Which request comes next: drawn from the mix by the seed, in an order that is the same in every run.

use rand::{
    Rng, RngExt,
    distr::{Distribution, weighted::WeightedIndex},
};

use super::random::stream;

/// One drawn request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The request, by its name.
    pub kind: String,
    /// A number for its body.
    pub number: u32,
}

/// The endless order of requests of a mix.
pub fn draws(seed: u64, mix: &[(String, u32)]) -> impl Iterator<Item = Draw> + Send + use<> {
    let mut random = stream(seed, "order of requests");
    let names: Vec<String> = mix.iter().map(|(name, _)| name.clone()).collect();
    let weights = WeightedIndex::new(mix.iter().map(|(_, weight)| *weight)).ok();
    std::iter::from_fn(move || weights.as_ref().map(|weights| draw(&mut random, &names, weights)))
}

fn draw(random: &mut impl Rng, names: &[String], weights: &WeightedIndex<u32>) -> Draw {
    let kind = names.get(weights.sample(random)).cloned().unwrap_or_default();
    Draw { kind, number: random.random_range(1..100_000) }
}
