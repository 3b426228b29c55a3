//! From a fingerprint to what is to be written about it. Pure: nothing here knows of Redis or a clock.

pub mod announce;
pub mod choices;
pub mod identity;
pub mod judge;
pub mod overdue;
pub mod results;
pub mod translate;
