//! A detector in use: what it learns, and the model it scores with.

use crate::detector::{Fit, Fitted, Share};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Statistics and the model fitted to them last.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(
    serialize = "F: Serialize, F::Fitted: Serialize",
    deserialize = "F: DeserializeOwned, F::Fitted: DeserializeOwned"
))]
pub(crate) struct Track<F: Fit> {
    statistics: F,
    model: Option<F::Fitted>,
    /// What was learned since the incident began, should it become the new normal.
    fresh: Option<F>,
}

impl<F: Fit> Track<F> {
    pub(crate) fn new(statistics: F) -> Self {
        Self { statistics, model: None, fresh: None }
    }

    pub(crate) fn model(&self) -> Option<&F::Fitted> {
        self.model.as_ref()
    }

    pub(crate) fn score(&self, input: &F::Input) -> Option<f64> {
        self.model.as_ref().map(|model| model.score(input))
    }

    pub(crate) fn explain(&self, input: &F::Input) -> Vec<Share> {
        self.model.as_ref().map_or_else(Vec::new, |model| model.explain(input))
    }

    pub(crate) fn learn(&mut self, input: &F::Input, weight: f32) {
        self.statistics.learn(input, self.model.as_ref(), weight);
        if let Some(fresh) = &mut self.fresh {
            // Without the old model: it would clip what is the new normal.
            fresh.learn(input, None, 1.0);
        }
    }

    /// Fits anew; keeps the old model where the statistics don't allow one.
    pub(crate) fn fit(&mut self) {
        if let Some(model) = self.statistics.fit() {
            self.model = Some(model);
        }
    }

    /// Begins to learn anew beside the old statistics, which stay in use.
    pub(crate) fn set_apart(&mut self) {
        self.fresh = Some(self.statistics.blank());
    }

    /// Ends that: the new statistics replace the old ones, or are forgotten.
    pub(crate) fn settle(&mut self, accept: bool) {
        if let Some(fresh) = self.fresh.take().filter(|_| accept) {
            self.statistics = fresh;
            self.fit();
        }
    }

    pub(crate) fn is_consistent(
        &self,
        statistics: impl Fn(&F) -> bool,
        model: impl FnOnce(&F::Fitted) -> bool,
    ) -> bool {
        statistics(&self.statistics)
            && self.fresh.as_ref().is_none_or(statistics)
            && self.model.as_ref().is_none_or(model)
    }
}
