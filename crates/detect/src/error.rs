//! What can be wrong with what is given to the pipeline.

/// Why a layout, a setting, a window or a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No blocks.
    #[error("layout has no features")]
    EmptyLayout,
    /// A block of length 0.
    #[error("layout has a block without features")]
    EmptyBlock,
    /// More features than a pipeline takes.
    #[error("layout has {0} features, more than {max}", max = crate::layout::MAX_FEATURES)]
    TooManyFeatures(usize),
    /// Bucket bounds out of order.
    #[error("edges of histogram '{0}' aren't finite and ascending")]
    Edges(String),
    /// A setting out of its range.
    #[error("setting '{name}' must be {allowed}")]
    Setting {
        /// Which one.
        name: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// No detector of this name.
    #[error("no detector is called '{0}': auto, or some of {all}, separated by commas", all = crate::choice::Detectors::names())]
    NoSuchDetector(String),
    /// One detector twice in a list.
    #[error("detector '{0}' is named twice")]
    DetectorTwice(&'static str),
    /// A vector of another length than the layout's.
    #[error("window has {got} values where the layout has {expected}")]
    Length {
        /// Values given.
        got: usize,
        /// Values expected.
        expected: usize,
    },
    /// A window that isn't later than the one before.
    #[error("window ending at {end_ms} isn't later than the one before, {last_ms}")]
    Order {
        /// End of the refused window, ms since the epoch.
        end_ms: u64,
        /// End of the last window, ms since the epoch.
        last_ms: u64,
    },
    /// A checkpoint that no pipeline wrote.
    #[error("checkpoint is inconsistent: {0}")]
    Checkpoint(&'static str),
}
