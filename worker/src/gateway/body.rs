//! The body of a request: bounded in size, unpacked too, in time and in what all of them hold together.

use super::Gateway;
use super::errors::{Code, Problem};
use super::keys::Key;
use super::limits::BODIES;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use eddyline_intake::samples::prometheus::unsnapped;
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_stream::StreamExt;

/// Until a body is there.
const TIME: Duration = Duration::from_secs(30);
/// What is counted as one in the room for all bodies, in bytes.
const UNIT: usize = 1024;
/// Bodies from this size on are understood beside those that are quickly done.
const LARGE: usize = 64 << 10;

/// Room for all bodies.
#[derive(Debug, Clone)]
pub(super) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES / UNIT)))
    }
}

impl Room {
    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let busy = |_| {
            let why = "the bodies of requests under way fill what there is for them; try again";
            Problem::new(Code::Busy, why).retry_after(Duration::from_secs(1))
        };
        Arc::clone(&self.0).try_acquire_many_owned(units).map_err(busy)
    }
}

/// A body, and its place in the room.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    #[expect(dead_code, reason = "it is given back when the body is done with")]
    place: OwnedSemaphorePermit,
}

impl Received {
    /// The same, as these bytes.
    pub(super) fn read_as(self, bytes: Bytes) -> Self {
        Self { bytes, ..self }
    }
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Plain,
    Gzip,
    Snappy,
}

/// Reads it, unpacked where its coding says so.
pub(super) async fn receive(
    gateway: &Gateway,
    key: &Key,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, Problem> {
    let packing = match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Packing::Plain,
        Some(b"gzip" | b"x-gzip") => Packing::Gzip,
        Some(_) => return Err(Problem::new(Code::UnsupportedMedia, "the content-encoding may be gzip, or none")),
    };
    receive_packed(gateway, key, headers, body, packing).await
}

/// Reads one that is packed by snappy.
pub(super) async fn receive_snappy(
    gateway: &Gateway,
    key: &Key,
    headers: &HeaderMap,
    body: Body,
) -> Result<Received, Problem> {
    if headers.get(CONTENT_ENCODING).is_none_or(|coding| coding != "snappy") {
        return Err(Problem::new(Code::UnsupportedMedia, "the content-encoding must be snappy"));
    }
    receive_packed(gateway, key, headers, body, Packing::Snappy).await
}

async fn receive_packed(
    gateway: &Gateway,
    key: &Key,
    headers: &HeaderMap,
    body: Body,
    packing: Packing,
) -> Result<Received, Problem> {
    let too_large = || Problem::new(Code::BodyTooLarge, format!("a body has at most {} bytes with this key", key.body));
    let said = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if said.is_some_and(|length| length > key.body) {
        return Err(too_large());
    }
    let is_packed = packing != Packing::Plain;
    let place = gateway.room.take(if is_packed { key.body } else { said.unwrap_or(key.body) })?;
    let bytes = match timeout(TIME, collect(body, key.body)).await {
        Ok(Some(bytes)) => bytes?,
        Ok(None) => return Err(too_large()),
        Err(_) => {
            let why = format!("the body didn't come within {} seconds", TIME.as_secs());
            return Err(Problem::new(Code::BodyTimeout, why));
        }
    };
    if !is_packed {
        return Ok(Received { bytes, place });
    }
    let (most, bytes_of_work) = (key.body, bytes.len() * 4);
    let unpack = move || match packing {
        Packing::Snappy => unsnapped(&bytes, most).map(|unpacked| unpacked.map_err(|error| error.to_string())),
        _ => unpacked(&bytes, most).map(|unpacked| unpacked.map_err(|error| format!("the body isn't gzip: {error}"))),
    };
    match aside(bytes_of_work, unpack).await? {
        Some(Ok(bytes)) => Ok(Received { bytes: bytes.into(), place }),
        Some(Err(why)) => Err(Problem::new(Code::InvalidBody, why)),
        None => Err(too_large()),
    }
}

/// None where it is more than `most`.
async fn collect(body: Body, most: usize) -> Option<Result<Bytes, Problem>> {
    let broken = |error| Problem::new(Code::InvalidBody, format!("the body broke off: {error}"));
    let mut parts = body.into_data_stream();
    let first = match parts.next().await {
        None => return Some(Ok(Bytes::new())),
        Some(Err(error)) => return Some(Err(broken(error))),
        Some(Ok(first)) => first,
    };
    let mut all = Vec::new();
    let mut next = Some(first.clone());
    while let Some(part) = next {
        if all.len() + part.len() > most {
            return None;
        }
        match parts.next().await {
            // Most bodies are one part, which needs no copy.
            None if all.is_empty() => return Some(Ok(first)),
            None => {
                all.extend_from_slice(&part);
                next = None;
            }
            Some(Ok(following)) => {
                all.extend_from_slice(&part);
                next = Some(following);
            }
            Some(Err(error)) => return Some(Err(broken(error))),
        }
    }
    Some(Ok(all.into()))
}

/// None where it is more than `most`.
fn unpacked(bytes: &[u8], most: usize) -> Option<std::io::Result<Vec<u8>>> {
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes).take(most as u64 + 1).read_to_end(&mut unpacked);
    if unpacked.len() > most {
        return None;
    }
    Some(read.map(|_| unpacked))
}

/// Work about so many bytes: where it is much, so that nobody else waits for it.
pub(super) async fn aside<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    if bytes < LARGE {
        return Ok(work());
    }
    let broke = |_| Problem::new(Code::Internal, "the body could not be understood; the log says why");
    spawn_blocking(work).await.map_err(broke)
}

/// The type of the body without its parameters, lower-case.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_unpacks_to_too_much_is_left_off_early() {
        let bomb = packed(&vec![b' '; 50 << 20]);
        assert!(bomb.len() < 60_000 && unpacked(&bomb, 1 << 20).is_none());
        assert_eq!(unpacked(&packed(b"abc"), 3).unwrap().unwrap(), b"abc");
        assert!(unpacked(&packed(b"abcd"), 3).is_none());
        assert!(unpacked(&packed(b"abc")[..12], 100).unwrap().is_err());
    }

    #[tokio::test]
    async fn a_body_in_parts_is_put_together_up_to_its_limit() {
        let body = |parts: &[&'static str]| {
            let parts: Vec<_> = parts.iter().map(|part| Ok::<_, std::io::Error>(*part)).collect();
            Body::from_stream(tokio_stream::iter(parts))
        };
        assert_eq!(collect(body(&["ab", "", "c"]), 3).await.unwrap().unwrap(), "abc");
        assert!(collect(body(&["ab", "cd"]), 3).await.is_none());
        assert!(collect(body(&["abcd"]), 3).await.is_none());
        assert_eq!(collect(body(&[]), 3).await.unwrap().unwrap(), "");
    }
}
