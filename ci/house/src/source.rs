//! Rust source as the rules look at it: without comments, without the insides of texts, without test modules.

/// Whether a file holds nothing but tests.
pub fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/benches/")
}

/// The code of a file, line by line and as long as the file: whatever is no code of the program itself is blank.
pub fn code(text: &str) -> Vec<String> {
    let blank = without_test_modules(&without_comments_and_texts(text));
    blank.lines().map(str::to_owned).collect()
}

/// Comments and the insides of texts become blanks; lines stay where they are.
fn without_comments_and_texts(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => line_end(&chars, at),
            ('/', Some('*')) => comment_end(&chars, at),
            ('"', _) => text_end(&chars, at),
            ('r', Some('"' | '#')) if is_raw_text(&chars, at) => raw_text_end(&chars, at),
            ('\'', _) => character_end(&chars, at),
            _ => at,
        };
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

fn line_end(chars: &[char], from: usize) -> usize {
    chars[from..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| from + length)
}

fn comment_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0, from);
    while at + 1 < chars.len() {
        match (chars[at], chars[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') if depth == 1 => return at + 2,
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    chars.len()
}

fn text_end(chars: &[char], from: usize) -> usize {
    let mut at = from + 1;
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// `r"`, `r#"`, `r##"` where a word does not merely end with `r`.
fn is_raw_text(chars: &[char], at: usize) -> bool {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
    let starts_word = at == 0 || !is_word(&chars[at - 1]) || chars[at - 1] == 'b';
    starts_word && chars[at + 1..].iter().find(|c| **c != '#') == Some(&'"')
}

fn raw_text_end(chars: &[char], from: usize) -> usize {
    let hashes = chars[from + 1..].iter().take_while(|c| **c == '#').count();
    let mut at = from + hashes + 2;
    while at < chars.len() {
        if chars[at] == '"' && chars[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    chars.len()
}

/// The end of a character; a lifetime has none, and stays.
fn character_end(chars: &[char], from: usize) -> usize {
    match (chars.get(from + 1), chars.get(from + 2)) {
        (Some('\\'), _) => {
            let rest = &chars[from + 3..];
            rest.iter().position(|c| *c == '\'').map_or(chars.len(), |length| from + 4 + length)
        }
        (Some(_), Some('\'')) => from + 3,
        _ => from,
    }
}

/// `#[cfg(test)] mod ... { ... }` becomes blanks. A test module in a file of its own is told by its path.
fn without_test_modules(code: &str) -> String {
    let mut out = code.to_owned();
    let mut from = 0;
    while let Some(found) = out[from..].find("#[cfg(test)]").map(|length| from + length) {
        from = found + 1;
        let rest = &out[found..];
        let Some(open) = rest.find('{') else { continue };
        let is_module = rest[..open].contains("mod ") && !rest[..open].contains(';');
        if is_module {
            let length = closing(rest, open);
            let blank: String = rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            out = format!("{}{blank}{}", &out[..found], &out[found + length..]);
        }
    }
    out
}

/// Just behind the bracket that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code.char_indices().skip_while(|(at, _)| *at < open) {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

/// The lines, counted from 1, in which a word stands in the code, where it is not a part of a longer one.
pub fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let stands_alone = |line: &str, at: usize| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joins = |inner: Option<char>, outer: Option<char>| inner.is_some_and(is_word) && outer.is_some_and(is_word);
        !joins(word.chars().next(), before) && !joins(word.chars().next_back(), after)
    };
    let holds = |line: &String| line.match_indices(word).any(|(at, _)| stands_alone(line, at));
    code(text).iter().enumerate().filter(|(_, line)| holds(line)).map(|(index, _)| index + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_texts_and_tests_are_no_code() {
        let text = "use a; // use b\n/* use c /* d */ e */ let s = \"use f \\\" g\"; let r = r#\"h \" i\"#;\n\
                    #[cfg(test)]\nmod tests {\n  fn j() { k(); }\n}\nfn l<'x>(c: char) -> bool { c == '\"' && c != '\\'' }\n";
        let code = code(text);
        assert_eq!(code[0].trim_end(), "use a;");
        assert_eq!(code[1].split_whitespace().collect::<Vec<_>>(), ["let", "s", "=", ";", "let", "r", "=", ";"]);
        assert!(code[2..6].iter().all(|line| line.trim().is_empty()), "{code:?}");
        assert!(code[6].starts_with("fn l<'x>(c: char)") && code[6].ends_with('}'), "{code:?}");
    }

    #[test]
    fn a_word_is_found_where_it_stands_alone() {
        let text =
            "use rand::Rng;\nuse operand::x; // rand\nlet rand_chacha = 1;\nprintln!(\"x\");\neprintln!(\"x\");\n";
        assert_eq!(lines_with(text, "rand"), [1]);
        assert_eq!(lines_with(text, "println!"), [4]);
    }
}
