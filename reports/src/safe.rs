//! Data made safe to show: what a title, a node or a file holds must neither steer a terminal nor command a CI system.
//!
//! Whatever goes onto a terminal or into a log passes one of these functions: [`one_line`] for data within a page,
//! [`page`] or [`styled`] for a whole page, [`json`] for what programs read. Markdown has more to fear, and a function
//! of its own in its rendering.

/// What introduces a command anywhere in a line of a log: of Azure Pipelines and GitHub's older runners, and of TeamCity.
const COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// Whether a character shows nothing and does something: steers a terminal, ends a line, or turns the reading direction.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Data on one line: whatever is hidden, and every run of blanks, is one blank.
pub fn one_line(data: &str) -> String {
    let visible: String = data.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A whole page without colour, line by line: nothing hidden in it, and no command.
pub fn page(text: &str) -> String {
    let lines = text.replace("\r\n", "\n");
    disarmed(
        &lines.chars().map(|c| if is_hidden(c) && !matches!(c, '\n' | '\t') { '?' } else { c }).collect::<String>(),
    )
}

/// A whole page with colours that a rendering of ours has set around data that is safe already: of all that is hidden, only
/// those stay.
pub fn styled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out += &page(before);
        let end = after.strip_prefix('[').and_then(|codes| codes.find(|c: char| !c.is_ascii_digit() && c != ';'));
        rest = match end.filter(|end| after[1 + end..].starts_with('m')) {
            Some(end) => {
                out.push('\u{1b}');
                out += &after[..end + 2];
                &after[end + 2..]
            }
            None => after,
        };
    }
    disarmed(&(out + &page(rest)))
}

/// A text of which every byte keeps its place, for what is shown together with places in it.
pub fn same_length(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !matches!(c, '\n' | '\t') { out += &"?".repeat(c.len_utf8()) } else { out.push(c) }
    }
    out
}

/// JSON that says the same, with whatever is hidden, and every command, written as escapes. Only strings can hold any.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let is_layout = matches!(c, '\n' | '\t');
        if (is_hidden(c) && !is_layout) || COMMANDS.iter().any(|command| text[at..].starts_with(command)) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out += &format!("\\u{unit:04x}"));
        } else {
            out.push(c);
        }
    }
    out
}

/// Lines that no CI system takes for a command.
fn disarmed(text: &str) -> String {
    let text =
        COMMANDS.iter().fold(text.to_owned(), |text, command| text.replace(command, &command.replacen('#', "# ", 1)));
    text.split_inclusive('\n').map(disarmed_line).collect()
}

/// GitHub takes a line for a command that begins with two colons, blanks before them or not.
fn disarmed_line(line: &str) -> String {
    let data = line.trim_start();
    match data.strip_prefix("::") {
        Some(rest) => format!("{}: :{rest}", &line[..line.len() - data.len()]),
        None => line.to_owned(),
    }
}

/// Data cut to so many characters, saying that it was cut.
pub fn shorten(data: &str, width: usize) -> String {
    if data.chars().count() <= width {
        return data.to_owned();
    }
    let kept: String = data.chars().take(width.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text made of what does harm, put together in all ways.
    fn hostile() -> impl Strategy<Value = String> {
        const BITS: &[&str] = &[
            "\u{1b}[31m",
            "\u{1b}]0;title\u{7}",
            "\u{7}",
            "\r",
            "\n",
            "\r\n",
            " ",
            "\t",
            ":",
            "::",
            "::error::x",
            "#",
            "##",
            "##[",
            "##vso[task.complete]",
            "##teamcity[",
            "\u{202e}",
            "\u{2028}",
            "\u{9b}2J",
            "\u{85}",
            "\u{0}",
            "m",
            "[",
            "ü",
            "漢",
            "@here",
            "\u{e0041}",
        ];
        prop::collection::vec(prop_oneof![prop::sample::select(BITS).prop_map(str::to_owned), any::<String>()], 0..12)
            .prop_map(|parts| parts.concat())
    }

    fn is_command(line: &str) -> bool {
        line.trim_start().starts_with("::") || COMMANDS.iter().any(|command| line.contains(command))
    }

    proptest! {
        #[test]
        fn no_page_steers_or_commands(text in hostile()) {
            let safe = page(&text);
            prop_assert!(!safe.contains(|c| is_hidden(c) && !matches!(c, '\n' | '\t')), "{safe:?}");
            prop_assert!(!safe.lines().any(is_command), "{safe:?}");
            prop_assert_eq!(page(&safe), safe, "what is safe stays as it is");
        }

        #[test]
        fn a_line_of_data_is_one_line(text in hostile()) {
            let safe = one_line(&text);
            prop_assert!(!safe.contains(is_hidden), "{safe:?}");
            prop_assert_eq!(one_line(&safe), safe);
        }

        #[test]
        fn of_a_styled_page_only_colours_stay(text in hostile()) {
            let safe = styled(&text);
            let mut parts = safe.split('\u{1b}');
            let first = parts.next().unwrap_or_default().to_owned();
            let plain = parts.try_fold(first, |plain, part| {
                let (codes, rest) = part.strip_prefix('[')?.split_once('m')?;
                codes.chars().all(|c| c.is_ascii_digit() || c == ';').then(|| plain + rest)
            });
            prop_assert!(plain.is_some(), "{safe:?}");
            prop_assert!(!plain.unwrap_or_default().contains(|c| is_hidden(c) && !matches!(c, '\n' | '\t')), "{safe:?}");
            prop_assert!(!safe.lines().any(is_command), "{safe:?}");
        }

        #[test]
        fn places_stay_where_they_are(text in hostile()) {
            let safe = same_length(&text);
            prop_assert_eq!(safe.len(), text.len());
            prop_assert!(!safe.contains(|c| is_hidden(c) && !matches!(c, '\n' | '\t')));
        }

        #[test]
        fn json_says_the_same(text in hostile()) {
            let written = serde_json::to_string_pretty(&serde_json::json!({ "a": [&text], &text: 1 })).expect("JSON");
            let safe = json(&written);
            prop_assert!(!safe.contains(|c| is_hidden(c) && c != '\n'), "{safe:?}");
            prop_assert!(!safe.lines().any(is_command), "{safe:?}");
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
            prop_assert_eq!(value(&safe), value(&written));
        }
    }

    #[test]
    fn what_does_no_harm_stays() {
        let text = "verdict: passed\n\n  a::b\tumlaut ü 漢字 👩‍👩‍👧\n# heading ## [x]\n";
        assert_eq!(page(text), text);
        assert_eq!(styled("\u{1b}[1;31mFAILED\u{1b}[0m  x"), "\u{1b}[1;31mFAILED\u{1b}[0m  x");
    }

    #[test]
    fn commands_are_seen_and_not_heard() {
        assert_eq!(page("  ::error file=a::boom\n"), "  : :error file=a::boom\n");
        assert_eq!(page("x ##[error]boom ##vso[task.complete]"), "x # #[error]boom # #vso[task.complete]");
        assert_eq!(page("a\u{1b}[2Jb\u{7}"), "a?[2Jb?");
    }
}
