//! What must never be read anywhere: the passwords of the runs of this process, and every text without them.
//!
//! Whoever makes a secret says so here; whatever leaves the program for a terminal or a log is put through [`redact`] first.
//! So no one who prints has to know what is secret.

use std::sync::{PoisonError, RwLock};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// What is shown in place of a secret.
const HIDDEN: &str = "(password)";

/// Every form of every secret of this process.
static FORMS: RwLock<Vec<String>> = RwLock::new(Vec::new());

/// From now on this text is a secret.
pub fn keep(secret: &str) {
    if secret.is_empty() {
        return;
    }
    let mut forms = FORMS.write().unwrap_or_else(PoisonError::into_inner);
    forms.extend(forms_of(secret));
    // What holds another form goes first, or its rest would stay.
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
}

/// A text without any secret, in whatever form.
pub fn redact(text: &str) -> String {
    let forms = FORMS.read().unwrap_or_else(PoisonError::into_inner);
    let found = |text: &str, form: &String| text.contains(form.as_str());
    forms.iter().fold(text.to_owned(), |text, form| if found(&text, form) { text.replace(form, HIDDEN) } else { text })
}

/// A secret as it may stand in a text: as it is, in base64 wherever it begins in what is encoded, in hexadecimal digits, and as
/// the list of numbers by which Rust shows bytes.
fn forms_of(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex, numbers.join(", "), numbers.join(",")];
    for before in 0..3 {
        forms.push(within_base64(&STANDARD_NO_PAD, bytes, before));
        forms.push(within_base64(&URL_SAFE_NO_PAD, bytes, before));
    }
    // A part that many texts hold tells nothing, and its absence would garble them.
    forms.retain(|form| form.len() >= secret.len().min(8));
    forms
}

/// The digits that are the secret's alone where so many bytes, of a group of three, stand before it.
fn within_base64(code: &impl Engine, bytes: &[u8], before: usize) -> String {
    let encoded = code.encode([&vec![0; before], bytes].concat());
    let (first, whole) = ((before * 8).div_ceil(6), (before + bytes.len()) * 8 / 6);
    encoded.get(first..whole).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = "5f1e0c77-in-no-other-test";
        keep(secret);
        for around in ["", "x", "xy", "xyz"] {
            let text = format!("{around}{secret}{around}");
            let bytes = text.as_bytes();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            for form in [text.clone(), hex.to_uppercase(), hex, STANDARD_NO_PAD.encode(bytes), format!("{bytes:?}")] {
                let shown = redact(&form);
                assert!(shown.contains(HIDDEN), "{shown}");
                assert!(shown.len() + secret.len() / 2 < form.len() + HIDDEN.len(), "what is left of it: {shown}");
            }
        }
        assert_eq!(redact("nothing to hide"), "nothing to hide");
    }

    #[test]
    fn an_empty_secret_hides_nothing() {
        keep("");
        assert_eq!(redact("text"), "text");
    }
}
