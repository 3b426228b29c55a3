//! Bytes as text, for JSON and for people.

use std::fmt::Write as _;

/// `bytes` as UTF-8 text: what isn't valid UTF-8, and what a terminal would obey, becomes `\xNN`; what is longer than `limit`
/// bytes is cut and ends in `…`.
#[must_use]
pub fn printable(bytes: &[u8], limit: usize) -> String {
    let mut out = String::with_capacity(bytes.len().min(limit));
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() {
                if out.len() + 4 > limit {
                    out.push('…');
                    return out;
                }
                let _ = write!(out, "\\x{:02x}", u32::from(c));
                continue;
            }
            if out.len() + c.len_utf8() > limit {
                out.push('…');
                return out;
            }
            out.push(c);
        }
        for byte in chunk.invalid() {
            if out.len() + 4 > limit {
                out.push('…');
                return out;
            }
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn invalid_bytes_are_escaped_and_long_text_is_cut() {
        assert_eq!(printable(b"/pay\xff\xc3\xa9", 64), "/pay\\xffé");
        assert_eq!(printable(b"a\x1b[31m\n", 64), "a\\x1b[31m\\x0a");
        assert_eq!(printable(b"abcdef", 4), "abcd…");
        assert_eq!(printable("aéé".as_bytes(), 4), "aé…");
    }
}
