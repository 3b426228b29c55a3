//! `eddyline key`: a new key, and what the settings have to say about it.

use super::keys::{PREFIX, hash_of};
use super::settings::Scope;
use anyhow::Context;
use rustls::crypto::ring;

/// Bits that nobody guesses.
const BYTES: usize = 32;

/// A key that was never there before, and the section that lets it in.
///
/// # Errors
/// The system has no random numbers.
pub fn make(name: &str, scopes: &[Scope]) -> anyhow::Result<String> {
    let mut random = [0; BYTES];
    let source = ring::default_provider().secure_random;
    source.fill(&mut random).ok().context("the system gives no random numbers")?;
    Ok(told(name, scopes, &random))
}

fn told(name: &str, scopes: &[Scope], random: &[u8; BYTES]) -> String {
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let key = format!("{PREFIX}{hex}");
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("\"{scope:?}\"").to_lowercase()).collect();
    let hash = hash_of(key.as_bytes()).to_text();
    format!("{key}\n\n[http.keys.{name}]\nhash = \"{hash}\"\nscopes = [{}]\n", scopes.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::settings::KeySettings;

    #[test]
    fn what_is_printed_lets_the_key_in() {
        let text = told("shop", &[Scope::Write, Scope::Read], &[0xab; BYTES]);
        let (key, section) = text.split_once("\n\n").unwrap();
        let (header, body) = section.split_once('\n').unwrap();
        let settings: KeySettings = toml::from_str(body).unwrap();
        assert_eq!(header, "[http.keys.shop]");
        assert_eq!((settings.hash, settings.scopes), (hash_of(key.as_bytes()), vec![Scope::Write, Scope::Read]));
        assert_ne!(make("a", &[Scope::Read]).unwrap(), make("a", &[Scope::Read]).unwrap());
    }
}
