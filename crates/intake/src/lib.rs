//! What comes in by HTTP, as bytes; what goes out, as observations and vectors. No Redis, no clock.
//!
//! [`events`] are the observations that somebody sends as JSON. Whatever their form, observations of one monitor that have the
//! same fields come out together, in the order they came ([`group`]), as `EDDY.MOBSERVE` takes them.

pub mod events;
pub mod group;

mod field;
mod item;
