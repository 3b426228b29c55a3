//! Columns of a file of events.

/// What a time column's numbers count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TimeUnit {
    /// Seconds since the epoch.
    S,
    /// Milliseconds since the epoch.
    Ms,
    /// Microseconds since the epoch.
    Us,
}

/// A column and the field it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the column.
    pub column: String,
    /// Name of the field.
    pub field: String,
}
