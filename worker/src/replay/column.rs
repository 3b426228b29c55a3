//! Columns of a file of events.

/// A column and the field it becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the column.
    pub column: String,
    /// Name of the field.
    pub field: String,
}
