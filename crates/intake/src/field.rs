//! A field's name and value, written as bytes behind those before them.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::Write;

/// Writes a name.
pub(crate) struct Name<'a>(pub(crate) &'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// Writes a value: true, or false where it is absent; none where it has values in it.
pub(crate) struct Value<'a>(pub(crate) &'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Option<bool>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<bool>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Value<'_> {
    fn write<E>(self, value: impl fmt::Display) -> Result<Option<bool>, E> {
        // Writing into memory doesn't fail.
        let _ = write!(self.0, "{value}");
        Ok(Some(true))
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Option<bool>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(Some(true))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        self.write(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        self.write(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        self.write(value)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        self.write(value)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
