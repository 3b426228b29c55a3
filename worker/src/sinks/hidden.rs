//! What a sink's errors mustn't repeat.
//!
//! Receivers echo what they were sent: a path in a 404, a header in a 400. An answer is shown to the operator, cut and
//! escaped, unless one of the sink's secrets is in it.

use crate::config::secret::Secret;
use eddyline_wire::text;
use std::fmt;

/// Shorter texts are no secrets, and stand in half of all answers.
const SHORTEST: usize = 4;
/// Parts of an address that are shorter are words, such as `hooks`.
const SHORTEST_PART: usize = 8;
/// Most of an answer that is shown, in bytes.
const SHOWN: usize = 200;

/// The secrets of one sink.
#[derive(Clone, Default)]
pub(super) struct Hidden(Vec<String>);

impl Hidden {
    /// A secret, and each word of it (`Bearer …`).
    pub(super) fn add(&mut self, secret: &Secret) {
        let secret = secret.expose();
        self.push(secret, SHORTEST);
        for word in secret.split_whitespace() {
            self.push(word, SHORTEST_PART);
        }
    }

    /// The address of a receiver: each part of it that could be a key.
    pub(super) fn add_address(&mut self, address: &str) {
        self.push(address, SHORTEST);
        let (_, after_scheme) = address.split_once("://").unwrap_or(("", address));
        let (login, place) = after_scheme.rsplit_once('@').unwrap_or(("", after_scheme));
        let (_, path) = place.split_once('/').unwrap_or((place, ""));
        self.push(login, SHORTEST);
        self.push(path, SHORTEST_PART);
        for part in login.split(':') {
            self.push(part, SHORTEST);
        }
        for part in path.split(['/', '?', '&', '=', '#', ';']) {
            self.push(part, SHORTEST_PART);
        }
        if let Some((_, query)) = path.split_once('?') {
            for value in query.split('&').filter_map(|pair| pair.split_once('=')) {
                self.push(value.1, SHORTEST);
            }
        }
    }

    /// `answer` for a person: one short line, or a remark in its place.
    pub(super) fn quote(&self, answer: &[u8]) -> String {
        let lower = String::from_utf8_lossy(answer).to_lowercase();
        if self.0.iter().any(|secret| lower.contains(secret)) {
            return "(its answer repeats a secret and isn't shown)".to_owned();
        }
        text::printable(answer.trim_ascii(), SHOWN)
    }

    fn push(&mut self, secret: &str, shortest: usize) {
        if secret.len() >= shortest {
            self.0.push(secret.to_lowercase());
        }
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_repeats_a_secret_is_not_shown() {
        let mut hidden = Hidden::default();
        hidden.add_address("https://user:pa55@hooks.example.com/services/T0AAAAAAA/xyzzy-plugh?token=k3y1&v=2");
        hidden.add(&Secret::new("Bearer open-sesame".to_owned()));
        for answer in [
            "no such hook: /services/T0AAAAAAA",
            "XYZZY-PLUGH is unknown",
            "token k3y1 expired",
            "wrong password pa55 for user",
            "got Authorization: Bearer open-sesame",
            "got open-sesame",
        ] {
            assert_eq!(hidden.quote(answer.as_bytes()), "(its answer repeats a secret and isn't shown)", "{answer}");
        }
        assert_eq!(hidden.quote(b" invalid_blocks\n\x1b[31m"), "invalid_blocks\\x0a\\x1b[31m");
        assert_eq!(hidden.quote(&[b'a'; 10_000]), format!("{}…", "a".repeat(SHOWN)));
        assert_eq!(format!("{hidden:?}"), "***");
    }
}
