//! From incidents to what people are told.

mod clustered;
mod delivering;
mod grouping;
mod living;
mod stage;
mod stories;
mod story;
