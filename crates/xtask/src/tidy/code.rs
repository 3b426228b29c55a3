//! Just enough of Rust's lexis to tell code from comments and literals.

/// The text with comments, string and character literals blanked out; every line keeps its place.
pub(super) fn without_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = comment(rest).or_else(|| string(rest)).or_else(|| character(rest));
        match length {
            Some(length) => {
                code.extend(rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
                rest = &rest[length..];
            }
            None => {
                // A whole identifier at once, so that the `r` of `for"` isn't taken for a raw string's.
                let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len()).max(first.len_utf8());
                code.push_str(&rest[..word]);
                rest = &rest[word..];
            }
        }
    }
    code
}

/// Numbers (from 1) of the lines of `text` that hold `word` as a whole word.
pub(super) fn lines_with_word(text: &str, word: &str) -> Vec<usize> {
    let holds = |line: &str| line.split(|c| !is_word(c)).any(|found| found == word);
    text.lines().enumerate().filter(|(_, line)| holds(line)).map(|(at, _)| at + 1).collect()
}

/// Every path that the code names, imports with braces written out, with its line: `use std::{fs, io::Read};`
/// gives `std::fs` and `std::io::Read`. `code` is without literals.
pub(super) fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut path = String::new();
    for (line, text) in code.lines().enumerate() {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            let mut length = word.max(first.len_utf8());
            match first {
                _ if word > 0 => path.push_str(&rest[..word]),
                ':' if rest.starts_with("::") => {
                    path.push_str("::");
                    length = 2;
                }
                '{' if path.ends_with("::") => prefixes.push(std::mem::take(&mut path)),
                // A block's brace, in which no import is open, leaves the prefixes alone.
                '}' if prefixes.is_empty() => end(&mut path, "", line, &mut found),
                '}' => {
                    end(&mut path, &prefixes.concat(), line, &mut found);
                    prefixes.pop();
                }
                _ => end(&mut path, &prefixes.concat(), line, &mut found),
            }
            rest = &rest[length..];
        }
        if !path.ends_with("::") {
            end(&mut path, &prefixes.concat(), line, &mut found);
        }
    }
    found
}

/// The path so far is whole.
fn end(path: &mut String, prefix: &str, line: usize, found: &mut Vec<(usize, String)>) {
    if !path.is_empty() {
        found.push((line + 1, format!("{prefix}{path}")));
        path.clear();
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Length of the comment that `rest` starts with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
    Some(rest.len())
}

/// Length of the string literal, raw or not, that `rest` starts with.
fn string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    let start = rest.len() - after.len();
    if let Some(raw) = after.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let text = raw[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = text.find(&close).map_or(text.len(), |at| at + close.len());
        return Some(start + 1 + hashes + 1 + end);
    }
    let text = after.strip_prefix('"')?;
    Some(start + 1 + end_of_literal(text, '"'))
}

/// Length of the character literal that `rest` starts with; none for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let text = rest.strip_prefix('\'')?;
    let first = text.chars().next()?;
    let is_literal = first == '\\' || text[first.len_utf8()..].starts_with('\'');
    is_literal.then(|| 1 + end_of_literal(text, '\''))
}

/// Where the literal ends, its quote included.
fn end_of_literal(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::{lines_with_word, paths, without_literals};

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = r####"a /* b /* c */ d
e */ f // g
"h \" i" j r#"k "l" "# m 'n' '\'' o<'p> b"q" for"r" 'é' s"####;
        let code = without_literals(text);
        let words: Vec<_> = code.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        assert_eq!(words, ["a", "f", "j", "m", "o", "p", "for", "s"]);
        assert_eq!(lines_with_word(&code, "f"), [2]);
        assert_eq!(lines_with_word(&code, "fo"), [0; 0]);
    }

    #[test]
    fn imports_are_written_out() {
        let code = "use std::{fs,\n io::{self, Read},\n time::Instant};\nfn f() { std::net::connect(); g::{} }";
        let paths = paths(code);
        for (line, path) in [(1, "std::fs"), (2, "std::io::Read"), (3, "std::time::Instant"), (4, "std::net::connect")]
        {
            assert!(paths.contains(&(line, path.to_owned())), "{path} in {paths:?}");
        }
    }
}
