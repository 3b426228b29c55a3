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
        METRICS.iter().filter(of_ours).for_each(begin);
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

fn begin(metric: &Metric) {
    let labels = |series: Vec<(&'static str, &'static str)>| {
        series.into_iter().map(|(label, value)| Label::from_static_parts(label, value)).collect::<Vec<_>>()
    };
    match metric.kind {
        Kind::Counter => {
            metrics::describe_counter!(metric.name, metric.help);
            for series in metric.series() {
                metrics::counter!(metric.name, labels(series)).increment(0);
            }
        }
        // What a gauge is stands only when somebody looked.
        Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
        Kind::Histogram => {
            metrics::describe_histogram!(metric.name, metric.help);
            for series in metric.series() {
                let _ = metrics::histogram!(metric.name, labels(series));
            }
        }
    }
}
