//! Items that must not be stored as they are, such as an address or a customer's name.

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;
use std::borrow::Cow;

/// Fields whose values are replaced by a keyed hash before anything looks at them: 16 hexadecimal digits of SipHash-2-4
/// (Aumasson, Bernstein 2012). Without the key nobody can try out which value it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashed {
    /// The fields.
    pub fields: Vec<String>,
    /// The key; part of the monitor.
    pub key: [u8; 16],
}

impl Hashed {
    /// `value` as it is counted for `field`. An empty value stays one: it says that there is none.
    pub(crate) fn of<'v>(&self, field: &[u8], value: &'v [u8]) -> Cow<'v, [u8]> {
        if value.is_empty() || !self.fields.iter().any(|hashed| hashed.as_bytes() == field) {
            return Cow::Borrowed(value);
        }
        let hash = SipHasher24::new_with_key(&self.key).hash(value);
        Cow::Owned(format!("{hash:016x}").into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hashed_value_depends_on_the_key_and_other_fields_stay() {
        let hashed = |key| Hashed { fields: vec!["user".to_owned()], key: [key; 16] };
        assert_eq!(*hashed(1).of(b"service", b"pay"), *b"pay");
        assert_eq!(*hashed(1).of(b"user", b""), *b"");
        assert_eq!(hashed(1).of(b"user", b"ann").len(), 16);
        assert_eq!(hashed(1).of(b"user", b"ann"), hashed(1).of(b"user", b"ann"));
        assert_ne!(hashed(1).of(b"user", b"ann"), hashed(2).of(b"user", b"ann"));
        assert_ne!(hashed(1).of(b"user", b"ann"), hashed(1).of(b"user", b"bob"));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        let key: [u8; 16] = std::array::from_fn(|i| i as u8);
        let message: Vec<u8> = (0..15).collect();
        let hashed = Hashed { fields: vec!["f".to_owned()], key };
        assert_eq!(*hashed.of(b"f", &message), *b"a129ca6149be45e5", "the example of the paper's appendix A");
    }
}
