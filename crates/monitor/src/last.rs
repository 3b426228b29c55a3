//! What the window that closed last counted, for whoever asks after it.

use crate::fields::Fields;
use crate::items::Counted;
use crate::measure::MeasureState;
use serde::{Deserialize, Serialize};

/// The last window's items by dimension, and its measures.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct LastWindow {
    pub items: Vec<Counted>,
    pub measures: Vec<MeasureState>,
}

impl LastWindow {
    /// No window closed yet.
    pub(crate) fn new(fields: &Fields) -> Self {
        Self {
            items: fields.joints.iter().map(|_| Counted::new(fields.width)).collect(),
            measures: fields.measures.iter().map(|_| MeasureState::new()).collect(),
        }
    }

    /// Nothing was counted in it.
    pub(crate) fn clear(&mut self) {
        self.items.iter_mut().for_each(Counted::clear);
        self.measures.iter_mut().for_each(MeasureState::clear);
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.items.iter().map(Counted::bytes).sum::<usize>()
            + self.measures.iter().map(MeasureState::bytes).sum::<usize>()
    }

    /// Whether a dump's has the sizes that its fields give.
    pub(crate) fn is_sane(&self, fields: &Fields) -> bool {
        self.items.len() == fields.joints.len()
            && self.measures.len() == fields.measures.len()
            && self.items.iter().all(|items| items.has_shape(fields.width))
    }
}
