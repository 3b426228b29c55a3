//! How good the scores of labelled rows are, as the field measures it: by ranking alone ([`volume`], [`event_f1`]), without
//! point adjustment, and against the alert line ([`rows`]).

pub mod event_f1;
pub mod rows;
pub mod stretches;
pub mod volume;
