//! Prometheus' remote write 1.0, `WriteRequest`: series without types, which their names tell.

use super::{Kind, Samples, Unreadable, hash, monitor};
use crate::proto::{Fields, messages};

/// Bytes that snappy didn't pack.
#[derive(Debug, thiserror::Error)]
#[error("the body isn't snappy: {0}")]
pub struct NotSnappy(#[from] snap::Error);

/// Unpacks a body; none where it says that it would be more than `most` bytes.
pub fn unsnapped(body: &[u8], most: usize) -> Option<Result<Vec<u8>, NotSnappy>> {
    match snap::raw::decompress_len(body) {
        Ok(length) if length > most => None,
        Ok(_) => Some(snap::raw::Decoder::new().decompress_vec(body).map_err(NotSnappy)),
        Err(error) => Some(Err(error.into())),
    }
}

/// Reads it, unpacked.
///
/// # Errors
/// Bytes that aren't that message, or too many samples: nothing of it counts.
pub fn read(body: &[u8], now_ms: u64) -> Result<Samples, Unreadable> {
    let mut samples = Samples::default();
    for series in messages(body, 1) {
        let series = series?;
        let labels = Labels::of(series)?;
        let Some((feature, ending, kind, also)) = labels.shape() else { continue };
        let monitor = monitor(labels.job, Some(labels.instance));
        for sample in messages(series, 2) {
            let (mut value, mut time_ms) = (0.0, 0);
            for field in Fields(sample?) {
                match field? {
                    (1, number) => value = number.double()?,
                    (2, ms) => time_ms = ms.varint()?,
                    _ => {}
                }
            }
            // The series ended; that is no number.
            if value.is_nan() {
                continue;
            }
            let changes = [Some((feature, ending, kind, value)), also.map(|kind| (feature, ":mean", kind, value))];
            let changes: Vec<_> = changes.into_iter().flatten().collect();
            samples.point(&monitor, labels.series, time_ms, now_ms, &changes)?;
        }
    }
    Ok(samples.sorted())
}

#[derive(Debug, Default)]
struct Labels<'a> {
    name: &'a str,
    job: &'a str,
    instance: &'a str,
    series: u64,
}

impl<'a> Labels<'a> {
    fn of(series: &'a [u8]) -> Result<Self, Unreadable> {
        let mut labels = Self { job: "unknown_job", ..Self::default() };
        for label in messages(series, 1) {
            let (mut name, mut value) = ("", "");
            for field in Fields(label?) {
                match field? {
                    (1, text) => name = text.text()?,
                    (2, text) => value = text.text()?,
                    _ => {}
                }
            }
            match name {
                "__name__" => labels.name = value,
                "job" => labels.job = value,
                "instance" => labels.instance = value,
                _ => labels.series = labels.series.wrapping_add(hash(0, [name.as_bytes(), value.as_bytes()])),
            }
        }
        Ok(labels)
    }

    /// The feature, what its name ends in, what a sample does to it, and to the mean beside it. Buckets say no more than count
    /// and mean do.
    fn shape(&self) -> Option<(&'a str, &'static str, Kind, Option<Kind>)> {
        let name = self.name;
        if name.is_empty() || name.ends_with("_bucket") {
            return None;
        }
        if let Some(stem) = name.strip_suffix("_count").filter(|stem| !stem.is_empty()) {
            return Some((stem, ":count", Kind::Counter, Some(Kind::Count)));
        }
        if let Some(stem) = name.strip_suffix("_sum").filter(|stem| !stem.is_empty()) {
            return Some((stem, ":mean", Kind::Sum, None));
        }
        let kind = if name.ends_with("_total") { Kind::Counter } else { Kind::Gauge };
        Some((name, "", kind, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len() as u8][..], bytes].concat()
    }

    fn series(labels: &[(&str, &str)], value: f64, ms: u64) -> Vec<u8> {
        let mut series = Vec::new();
        for (name, text) in labels {
            series.extend(field(1, &[field(1, name.as_bytes()), field(2, text.as_bytes())].concat()));
        }
        let mut sample = [&[1 << 3 | 1][..], &value.to_le_bytes(), &[2 << 3]].concat();
        let mut rest = ms;
        while rest >= 0x80 {
            sample.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        sample.push(rest as u8);
        series.extend(field(2, &sample));
        field(1, &series)
    }

    #[test]
    fn what_would_unpack_to_too_much_is_not_unpacked() {
        let packed = snap::raw::Encoder::new().compress_vec(&[0; 1000]).unwrap();
        assert_eq!(unsnapped(&packed, 1000).unwrap().unwrap().len(), 1000);
        assert!(unsnapped(&packed, 999).is_none());
        assert!(unsnapped(b"\xff\xff\xff\xff\x0f", 1 << 40).unwrap().is_err());
        assert!(unsnapped(b"", 10).unwrap().is_err() && unsnapped(&packed[..5], 1000).unwrap().is_err());
    }

    #[test]
    fn names_tell_what_series_are() {
        let of = |name: &'static str, value, ms| {
            series(&[("__name__", name), ("instance", "h:9100"), ("job", "node")], value, ms)
        };
        let body = [
            of("node_load1", 0.5, 2000),
            of("http_requests_total", 7.0, 1000),
            of("latency_seconds_bucket", 7.0, 1000),
            of("latency_seconds_sum", 3.5, 1000),
            of("latency_seconds_count", 7.0, 1000),
            of("gone", f64::NAN, 1000),
            of("odd", f64::INFINITY, 1000),
        ]
        .concat();
        let samples = read(&body, 5000).unwrap();
        assert_eq!((samples.points, samples.refused), (5, 1));
        let all = &samples.by_monitor["node/h:9100"];
        let told: Vec<_> = all.iter().map(|it| (it.feature.as_str(), it.kind, it.value)).collect();
        assert_eq!(
            told,
            [
                ("http_requests_total", Kind::Counter, 7.0),
                ("latency_seconds:mean", Kind::Sum, 3.5),
                ("latency_seconds:count", Kind::Counter, 7.0),
                ("latency_seconds:mean", Kind::Count, 7.0),
                ("node_load1", Kind::Gauge, 0.5),
            ]
        );
    }
}
