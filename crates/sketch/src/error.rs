use thiserror::Error;

/// Why a sketch can't be made, merged or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SketchError {
    /// A width, depth, capacity, precision or rate outside its documented range.
    #[error("{what} must be {allowed}")]
    OutOfRange {
        /// The parameter's name.
        what: &'static str,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// Two sketches of different shape don't merge.
    #[error("sketches of different shape can't be merged")]
    ShapeMismatch,
    /// The width isn't a multiple of the number of buckets.
    #[error("a row of {width} columns doesn't fold to {buckets} buckets")]
    NotFoldable {
        /// Columns of the row.
        width: usize,
        /// Buckets asked for.
        buckets: usize,
    },
    /// A sum that a counter can't hold.
    #[error("a counter would leave its range")]
    Overflow,
    /// Serialised state that no sequence of calls leaves behind.
    #[error("corrupt state: {0}")]
    Corrupt(&'static str),
}
