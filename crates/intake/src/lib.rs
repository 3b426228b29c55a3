//! What comes in by HTTP, as bytes; what goes out, as observations and vectors. No Redis, no clock.
//!
//! [`events`] are the observations that somebody sends as JSON. Whatever their form, observations of one monitor that have the
//! same fields come out together, in the order they came ([`group`]), as `EDDY.MOBSERVE` takes them. [`spans`] are observations too; [`samples`] of metrics become vectors. Both come as
//! protobuf ([`proto`]), or as JSON that is made protobuf first ([`json`]).

pub mod events;
pub mod group;
pub mod json;
pub mod proto;
pub mod samples;
pub mod spans;

mod attributes;
mod field;
mod item;
