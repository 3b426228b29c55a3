//! `ExportMetricsServiceRequest`: numbers by kind and temporality, histograms and summaries as count and mean.

use super::{Kind, Samples, Unreadable, hash, monitor};
use crate::attributes::Resource;
use crate::proto::{Broken, Fields, Value, messages};

/// What a metric's points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Gauge,
    Sum,
    /// Of any kind; also summaries, which have no temporality and are cumulative.
    Histogram {
        /// The number of the field that attributes are, which differs between kinds.
        attributes: u64,
    },
}

/// Reads it.
///
/// # Errors
/// Bytes that aren't that message, or too many points: nothing of it counts.
pub fn read(body: &[u8], now_ms: u64) -> Result<Samples, Unreadable> {
    let mut samples = Samples::default();
    for resource_metrics in messages(body, 1) {
        let resource_metrics = resource_metrics?;
        let Resource { service, instance } = Resource::of(resource_metrics)?;
        let monitor = monitor(&service, instance.as_deref());
        for scope_metrics in messages(resource_metrics, 2) {
            for metric in messages(scope_metrics?, 2) {
                read_metric(&mut samples, &monitor, metric?, now_ms)?;
            }
        }
    }
    Ok(samples.sorted())
}

fn read_metric(samples: &mut Samples, monitor: &str, metric: &[u8], now_ms: u64) -> Result<(), Unreadable> {
    let (mut name, mut data) = ("", None);
    for field in Fields(metric) {
        match field? {
            (1, text) => name = text.text()?,
            (5, gauge) => data = Some((Shape::Gauge, gauge.bytes()?)),
            (7, sum) => data = Some((Shape::Sum, sum.bytes()?)),
            (9, explicit) => data = Some((Shape::Histogram { attributes: 9 }, explicit.bytes()?)),
            (10, exponential) => data = Some((Shape::Histogram { attributes: 1 }, exponential.bytes()?)),
            (11, summary) => data = Some((Shape::Histogram { attributes: 7 }, summary.bytes()?)),
            _ => {}
        }
    }
    let Some((shape, data)) = data.filter(|_| !name.is_empty()) else { return Ok(()) };
    let (mut temporality, mut is_monotonic) = (0, false);
    for field in Fields(data) {
        match field? {
            (2, number) if matches!(number, Value::Varint(_)) => temporality = number.varint()?,
            (3, truth) if shape == Shape::Sum => is_monotonic = truth.varint()? != 0,
            _ => {}
        }
    }
    let is_delta = temporality == 1;
    for point in messages(data, 1) {
        let point = Point::of(point?, shape)?;
        let changes = match shape {
            Shape::Gauge => [Some((name, "", Kind::Gauge, point.value)), None, None],
            Shape::Sum if is_delta => [Some((name, "", Kind::Delta, point.value)), None, None],
            Shape::Sum if is_monotonic => [Some((name, "", Kind::Counter, point.value)), None, None],
            // It goes up and down, such as requests under way.
            Shape::Sum => [Some((name, "", Kind::Gauge, point.value)), None, None],
            Shape::Histogram { .. } => {
                let (count, sum, parts) = match is_delta {
                    true => (Kind::Delta, Kind::DeltaSum, Kind::DeltaCount),
                    false => (Kind::Counter, Kind::Sum, Kind::Count),
                };
                let mean = point.sum.map(|value| (name, ":mean", sum, value));
                let parts = mean.map(|_| (name, ":mean", parts, point.count));
                [Some((name, ":count", count, point.count)), mean, parts]
            }
        };
        let changes: Vec<_> = changes.into_iter().flatten().collect();
        samples.point(monitor, point.series, point.time_ms(now_ms), now_ms, &changes)?;
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Point {
    series: u64,
    time_ns: u64,
    value: f64,
    count: f64,
    sum: Option<f64>,
}

impl Point {
    fn of(message: &[u8], shape: Shape) -> Result<Self, Broken> {
        let mut point = Self { value: f64::NAN, ..Self::default() };
        let (is_number, attributes) = match shape {
            Shape::Gauge | Shape::Sum => (true, 7),
            Shape::Histogram { attributes } => (false, attributes),
        };
        for field in Fields(message) {
            let (number, value) = field?;
            match (number, value) {
                (3, ns) => point.time_ns = ns.fixed64()?,
                (4, double) if is_number => point.value = double.double()?,
                (6, integer) if is_number => point.value = integer.fixed64()? as i64 as f64,
                (4, count) => point.count = count.fixed64()? as f64,
                (5, sum) if !is_number => point.sum = Some(sum.double()?),
                // Attributes: in whichever order, the series is the same.
                (number, Value::Bytes(attribute)) if number == attributes => {
                    point.series = point.series.wrapping_add(hash(0, [attribute]));
                }
                _ => {}
            }
        }
        Ok(point)
    }

    /// A point that doesn't say when is of now.
    fn time_ms(&self, now_ms: u64) -> u64 {
        if self.time_ns == 0 { now_ms } else { self.time_ns / 1_000_000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use prost::Message;

    const NOW: u64 = 1_700_000_000_000;
    const REQUEST: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[
        {"key":"service.name","value":{"stringValue":"pay"}},{"key":"service.instance.id","value":{"stringValue":"{a}"}}]},
      "scopeMetrics":[{"scope":{"name":"x"},"metrics":[
       {"name":"queue","gauge":{"dataPoints":[{"asInt":"7","timeUnixNano":"1700000000000000000"}]}},
       {"name":"requests","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
         {"asDouble":10,"timeUnixNano":"1699999999000000000","attributes":[{"key":"code","value":{"stringValue":"200"}}]},
         {"asDouble":3,"timeUnixNano":"1699999999000000000","attributes":[{"key":"code","value":{"stringValue":"500"}}]}]}},
       {"name":"active","sum":{"aggregationTemporality":2,"isMonotonic":false,"dataPoints":[{"asInt":"-2","timeUnixNano":"0"}]}},
       {"name":"sent","sum":{"aggregationTemporality":1,"isMonotonic":true,"dataPoints":[{"asInt":"5","timeUnixNano":"1"}]}},
       {"name":"latency","histogram":{"aggregationTemporality":2,"dataPoints":[
         {"count":"4","sum":2.5,"timeUnixNano":"1700000000000000000","bucketCounts":["4"],"explicitBounds":[]}]}},
       {"name":"far","gauge":{"dataPoints":[{"asInt":"7","timeUnixNano":"1800000000000000000"}]}}
      ]}]}]}"#;

    #[test]
    fn points_become_changes_of_features_by_kind() {
        let body = serde_json::from_str::<ExportMetricsServiceRequest>(REQUEST).unwrap().encode_to_vec();
        let samples = read(&body, NOW).unwrap();
        assert_eq!((samples.points, samples.refused), (7, 2));
        let all = &samples.by_monitor["pay/_a_"];
        let told: Vec<_> = all.iter().map(|it| (it.feature.as_str(), it.kind, it.value)).collect();
        assert_eq!(
            told,
            [
                ("requests", Kind::Counter, 10.0),
                ("requests", Kind::Counter, 3.0),
                ("queue", Kind::Gauge, 7.0),
                ("active", Kind::Gauge, -2.0),
                ("latency:count", Kind::Counter, 4.0),
                ("latency:mean", Kind::Sum, 2.5),
                ("latency:mean", Kind::Count, 4.0),
            ]
        );
        assert_ne!(all[0].series, all[1].series);
        for end in 0..body.len() {
            let _ = read(&body[..end], NOW);
        }
    }
}
