//! One detector on numeric features, chosen by name, with its short memory.

use crate::chance::pace::Pace;
use crate::choice::Detector;
use crate::detector::{Expectation, Share};
use crate::numbers::change::Changes;
use crate::numbers::cluster::Clusters;
use crate::numbers::ewma::Drifts;
use crate::numbers::forecast::Forecasts;
use crate::numbers::level::Levels;
use crate::numbers::mixture::Mixtures;
use crate::numbers::moving_average::MovingAverages;
use crate::numbers::regimes::Regimes;
use crate::numbers::trail::Trail;
use crate::numbers::zscore::ZScores;
use crate::track::Track;
use serde::{Deserialize, Serialize};

/// The detector. Adding one touches its file, this table and the names (`choice`).
#[derive(Debug, Clone, Serialize, Deserialize)]
enum Chosen {
    Level(Track<Levels>),
    Forecast(Track<Forecasts>),
    Change(Track<Changes>),
    Regimes(Track<Regimes>),
    Cluster(Track<Clusters>),
    Mixture(Track<Mixtures>),
    ZScore(Track<ZScores>),
    MovingAverage(Track<MovingAverages>),
    Ewma(Track<Drifts>),
}

/// The same for whichever it is.
macro_rules! each {
    ($chosen:expr, $track:ident => $what:expr) => {
        match $chosen {
            Chosen::Level($track) => $what,
            Chosen::Forecast($track) => $what,
            Chosen::Change($track) => $what,
            Chosen::Regimes($track) => $what,
            Chosen::Cluster($track) => $what,
            Chosen::Mixture($track) => $what,
            Chosen::ZScore($track) => $what,
            Chosen::MovingAverage($track) => $what,
            Chosen::Ewma($track) => $what,
        }
    };
}

/// One detector with its short memory, and what is usual of each feature, to explain by.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Single {
    trail: Trail,
    usual: Track<ZScores>,
    chosen: Chosen,
}

impl Single {
    /// The detector of this name; none for one that joins several.
    pub(crate) fn new(detector: Detector, names: &[String], pace: Pace) -> Option<Self> {
        let trail = Trail::new(names, pace);
        let scales = trail.scales();
        let chosen = match detector {
            Detector::Ensemble => return None,
            Detector::Level => Chosen::Level(Track::new(Levels::new(scales))),
            Detector::Forecast => Chosen::Forecast(Track::new(Forecasts::new(scales))),
            Detector::Change => Chosen::Change(Track::new(Changes::new(scales))),
            Detector::Regimes => Chosen::Regimes(Track::new(Regimes::new(scales))),
            Detector::Cluster => Chosen::Cluster(Track::new(Clusters::new(scales))),
            Detector::Mixture => Chosen::Mixture(Track::new(Mixtures::new(scales))),
            Detector::ZScore => Chosen::ZScore(Track::new(ZScores::new(scales))),
            Detector::MovingAverage => Chosen::MovingAverage(Track::new(MovingAverages::new(scales))),
            Detector::Ewma => Chosen::Ewma(Track::new(Drifts::new(scales))),
        };
        Some(Self { usual: Track::new(ZScores::new(scales)), trail, chosen })
    }

    /// Takes a window in and scores it.
    pub(crate) fn score(&mut self, values: &[f32], gap: bool) -> Option<f64> {
        self.trail.push(values, gap);
        if let Chosen::Forecast(track) = &self.chosen {
            self.trail.surprise(track.model());
        }
        each!(&self.chosen, track => track.score(&self.trail))
    }

    pub(crate) fn explain(&self) -> Vec<Share> {
        each!(&self.chosen, track => track.explain(&self.trail))
    }

    /// What a feature is against what it should be; none where it is missing.
    pub(crate) fn expectation(&self, feature: usize) -> Option<Expectation> {
        if self.trail.now()[feature].is_nan() {
            return None;
        }
        let normal = match &self.chosen {
            Chosen::MovingAverage(track) => track.model().map(|model| model.normal(feature)),
            Chosen::Ewma(track) => track.model().map(|model| model.normal(feature)),
            _ => self.usual.model().map(|model| model.normal(feature)),
        };
        Some(Expectation::around(self.trail.scales()[feature], self.trail.raw(feature), normal?))
    }

    pub(crate) fn learn(&mut self, weight: f32) {
        self.usual.learn(&self.trail, weight);
        each!(&mut self.chosen, track => track.learn(&self.trail, weight));
        match &mut self.chosen {
            // What they compare with moves from window to window.
            Chosen::MovingAverage(track) => track.fit(),
            Chosen::Ewma(track) => track.fit(),
            _ => {}
        }
    }

    pub(crate) fn fit(&mut self) {
        self.usual.fit();
        each!(&mut self.chosen, track => track.fit());
    }

    pub(crate) fn set_apart(&mut self) {
        self.usual.set_apart();
        each!(&mut self.chosen, track => track.set_apart());
    }

    pub(crate) fn settle(&mut self, accept: bool) {
        self.usual.settle(accept);
        each!(&mut self.chosen, track => track.settle(accept));
    }

    /// Whether it could be what `made` becomes some windows later.
    pub(crate) fn is_consistent(&self, made: &Self, names: &[String], pace: Pace) -> bool {
        let (trail, features) = (&self.trail, names.len());
        std::mem::discriminant(&self.chosen) == std::mem::discriminant(&made.chosen)
            && trail.is_consistent(names, pace)
            && self.usual.is_consistent(|usual| usual.is_consistent(trail), |model| model.is_consistent(features))
            && each!(&self.chosen, track => track.is_consistent(
                |statistics| statistics.is_consistent(trail),
                |model| model.is_consistent(features),
            ))
    }
}
