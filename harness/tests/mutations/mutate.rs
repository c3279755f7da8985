//! Small damage to a text, drawn by a seed: what a slip of the pen, a torn disk or an attacker makes of a file.

use rand::{Rng, RngExt, seq::IndexedRandom};

/// Numbers at which readers, sums and loops have been seen to break.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1",
    "65535",
    "65536",
    "4294967296",
    "9007199254740992",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551614",
    "-9223372036854775808",
    "1e308",
    "0.0000001",
    "50000000",
];

/// Texts that mean something to YAML, to JSON, to a terminal, or to whoever counts letters.
const TEXTS: [&str; 22] = [
    "&a ",
    "*a",
    "&a [*a, *a]",
    "<<: *a",
    "!!binary ",
    "? ",
    "- ",
    "---\n",
    "...\n",
    "~",
    "null",
    "{}",
    "[]",
    "\"",
    "'",
    "\u{1b}[31m",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é\u{301}",
    "\t",
    "\r\n",
];

/// A text with one to four changes.
pub fn mutate(text: &str, others: &[&str], random: &mut impl Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..random.random_range(1..=4) {
        bytes = change(bytes, others, random);
    }
    bytes
}

fn change(bytes: Vec<u8>, others: &[&str], random: &mut impl Rng) -> Vec<u8> {
    match random.random_range(0..14) {
        0 => flip(bytes, random),
        1..=3 => number(bytes, random),
        4 => lines(bytes, random, |lines, at| drop(lines.remove(at))),
        5 => lines(bytes, random, |lines, at| lines.insert(at, lines[at].clone())),
        6 => lines(bytes, random, |lines, at| lines.swap(0, at)),
        7 => truncate(bytes, random),
        8 => {
            let nest = ["[", "{a: ", "{\"a\":", "- ", "a:\n "].choose(random).copied().unwrap_or("[");
            let times = random.random_range(1..400);
            insert(bytes, nest.repeat(times).as_bytes(), random)
        }
        9 | 10 => {
            let text = TEXTS.choose(random).copied().unwrap_or_default();
            insert(bytes, text.as_bytes(), random)
        }
        11 => {
            let letter = ["x", " ", "é", "9", "*a, ", "a: &a {b: *a}\n"].choose(random).copied().unwrap_or("x");
            let times = *[100, 1100, 66_000, 300_000].choose(random).unwrap_or(&100);
            insert(bytes, letter.repeat(times / letter.len()).as_bytes(), random)
        }
        12 => {
            let other = others.choose(random).copied().unwrap_or_default();
            let piece = piece(other.as_bytes(), random).to_vec();
            insert(bytes, &piece, random)
        }
        _ => {
            let piece = piece(&bytes, random).to_vec();
            let times = random.random_range(1..=(200_000 / (piece.len() + 1)).clamp(1, 2000));
            insert(bytes, &piece.repeat(times), random)
        }
    }
}

fn flip(mut bytes: Vec<u8>, random: &mut impl Rng) -> Vec<u8> {
    if !bytes.is_empty() {
        let at = random.random_range(0..bytes.len());
        bytes[at] ^= 1 << random.random_range(0..8);
    }
    bytes
}

/// One of the numbers in a text becomes another; its unit stays.
fn number(bytes: Vec<u8>, random: &mut impl Rng) -> Vec<u8> {
    let begins = |at: &usize| bytes[*at].is_ascii_digit() && (*at == 0 || !bytes[*at - 1].is_ascii_digit());
    let starts: Vec<usize> = (0..bytes.len()).filter(begins).collect();
    let Some(start) = starts.choose(random).copied() else { return bytes };
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let other = match random.random_range(0..16) {
        0 => "9".repeat(400),
        _ => NUMBERS.choose(random).copied().unwrap_or("0").to_owned(),
    };
    [&bytes[..start], other.as_bytes(), &bytes[start + length..]].concat()
}

fn lines(bytes: Vec<u8>, random: &mut impl Rng, change: impl Fn(&mut Vec<Vec<u8>>, usize)) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let at = random.random_range(0..lines.len());
    change(&mut lines, at);
    lines.join(&b'\n')
}

fn truncate(mut bytes: Vec<u8>, random: &mut impl Rng) -> Vec<u8> {
    bytes.truncate(random.random_range(0..=bytes.len()));
    bytes
}

fn insert(mut bytes: Vec<u8>, what: &[u8], random: &mut impl Rng) -> Vec<u8> {
    let at = random.random_range(0..=bytes.len());
    bytes.splice(at..at, what.iter().copied());
    bytes
}

fn piece<'a>(bytes: &'a [u8], random: &mut impl Rng) -> &'a [u8] {
    let from = random.random_range(0..=bytes.len());
    let to = random.random_range(from..=bytes.len().min(from + 400));
    &bytes[from..to]
}
