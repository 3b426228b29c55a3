//! The metrics as Prometheus reads them.

use super::names;
use super::process;
use super::table::{Kind, METRICS, Metric};
use metrics::Label;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Values of histograms are held one by one until somebody asks, or until this.
pub const UPKEEP: Duration = Duration::from_secs(5);

/// What was recorded, ready to be told.
#[derive(Clone)]
pub struct Exporter(PrometheusHandle);

impl Exporter {
    /// From now on, what the process records is kept. Series whose labels are known begin at 0, so that their first event is a
    /// rise.
    ///
    /// # Errors
    /// The process records elsewhere already.
    pub fn install() -> Result<Self, BuildError> {
        let mut builder = PrometheusBuilder::new();
        for metric in METRICS.iter().filter(|metric| metric.kind == Kind::Histogram) {
            builder = builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), metric.buckets)?;
        }
        let handle = builder.install_recorder()?;
        let of_ours = |metric: &&Metric| !process::NAMES.contains(&metric.name);
        METRICS.iter().filter(of_ours).for_each(describe);
        metrics::gauge!(names::BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self(handle))
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.0.render();
        text.push_str(&process::text());
        text
    }

    /// To be called every [`UPKEEP`]: where nobody asks, memory would grow.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// There is a sink of this name: its series begin at 0, so that the first delivery that fails is a rise.
pub fn expect_sink(name: &str) {
    let of_sinks = METRICS.iter().filter(|metric| metric.labels.iter().any(|(label, _)| *label == "sink"));
    of_sinks.for_each(|metric| begin(metric, Some(("sink", name))));
}

fn describe(metric: &Metric) {
    match metric.kind {
        Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
        Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
        Kind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
    }
    begin(metric, None);
}

fn begin(metric: &Metric, given: Option<(&'static str, &str)>) {
    for series in metric.series(given) {
        let labels: Vec<Label> = series.iter().map(|(label, value)| Label::new(*label, (*value).to_owned())).collect();
        match metric.kind {
            Kind::Counter => metrics::counter!(metric.name, labels).increment(0),
            // What a gauge is stands only when somebody looked.
            Kind::Gauge => {}
            Kind::Histogram => drop(metrics::histogram!(metric.name, labels)),
        }
    }
}
