//! OpenTelemetry's attributes: names with values, of which texts, numbers and truths count.

use crate::proto::{Broken, Fields, Value};
use std::borrow::Cow;

/// Longest text that is taken; of more its beginning.
pub(crate) const MAX_TEXT: usize = 1024;

/// The name and value of one `KeyValue`; no value where it is none that counts.
pub(crate) fn pair(message: &[u8]) -> Result<(&str, Option<Cow<'_, str>>), Broken> {
    let (mut name, mut value) = ("", None);
    for field in Fields(message) {
        match field? {
            (1, text) => name = text.text()?,
            (2, any) => value = plain(any.bytes()?)?,
            _ => {}
        }
    }
    Ok((name, value))
}

fn plain(any: &[u8]) -> Result<Option<Cow<'_, str>>, Broken> {
    let mut plain = None;
    for field in Fields(any) {
        plain = match field? {
            (1, text) => Some(Cow::Borrowed(cut(text.text()?))),
            (2, truth) => Some(Cow::Borrowed(if truth.varint()? == 0 { "false" } else { "true" })),
            (3, number) => Some(Cow::Owned((number.varint()? as i64).to_string())),
            (4, number) => Some(Cow::Owned(number.double()?.to_string())),
            (_, Value::Bytes(_)) => None,
            _ => plain,
        };
    }
    Ok(plain.filter(|text| !text.is_empty()))
}

/// Up to [`MAX_TEXT`] bytes of it, whole characters.
pub(crate) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

/// Which service and which of its instances a resource is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource<'a> {
    pub(crate) service: Cow<'a, str>,
    pub(crate) instance: Option<Cow<'a, str>>,
}

impl<'a> Resource<'a> {
    /// Of the message that has the resource as its first field.
    pub(crate) fn of(message: &'a [u8]) -> Result<Self, Broken> {
        let (mut service, mut instance, mut host) = (None, None, None);
        for resource in crate::proto::messages(message, 1) {
            for attribute in crate::proto::messages(resource?, 1) {
                match pair(attribute?)? {
                    ("service.name", name) => service = name,
                    ("service.instance.id", id) => instance = id,
                    ("host.name", name) => host = name,
                    _ => {}
                }
            }
        }
        Ok(Self { service: service.unwrap_or(Cow::Borrowed("unknown_service")), instance: instance.or(host) })
    }
}
