//! From incidents to what people are told.

mod delivering;
mod grouping;
mod living;
mod stage;
mod stories;
mod story;
