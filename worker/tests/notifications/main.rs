//! From incidents to what people are told.

mod grouping;
mod stories;
mod story;
