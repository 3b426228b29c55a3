//! Bytes as text, for JSON and for people.

/// `bytes` as UTF-8 text: what isn't valid UTF-8 becomes `\xNN`, what is longer than `limit` bytes is cut and ends in `…`.
/// For JSON, which escapes control characters itself.
#[must_use]
pub fn utf8(bytes: &[u8], limit: usize) -> String {
    escaped(bytes, limit, |_| false)
}

/// The same for a terminal or a line of a log: what those would obey becomes `\xNN` too.
#[must_use]
pub fn printable(bytes: &[u8], limit: usize) -> String {
    escaped(bytes, limit, char::is_control)
}

fn escaped(bytes: &[u8], limit: usize, is_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len().min(limit));
    let mut push = |part: &str| {
        let fits = out.len() + part.len() <= limit;
        out.push_str(if fits { part } else { "…" });
        fits
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            let fits = if is_escaped(c) {
                push(&format!("\\x{:02x}", u32::from(c)))
            } else {
                push(c.encode_utf8(&mut [0; 4]))
            };
            if !fits {
                return out;
            }
        }
        for byte in chunk.invalid() {
            if !push(&format!("\\x{byte:02x}")) {
                return out;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{printable, utf8};

    #[test]
    fn invalid_bytes_are_escaped_and_long_text_is_cut() {
        assert_eq!(printable(b"/pay\xff\xc3\xa9", 64), "/pay\\xffé");
        assert_eq!(printable(b"a\x1b[31m\n", 64), "a\\x1b[31m\\x0a");
        assert_eq!(utf8(b"a\n\xff", 64), "a\n\\xff");
        assert_eq!(printable(b"abcdef", 4), "abcd…");
        assert_eq!(printable("aéé".as_bytes(), 4), "aé…");
    }
}
