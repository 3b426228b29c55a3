//! How good anomaly scores are against labels, as the field measures it. Pure, and no more than slices of numbers.
//!
//! By ranking alone, without any threshold of ours and without point adjustment: [`ranking`], [`volume`], [`event_f1`]; over many
//! series of one number, [`nab`].
//! Against the alert line, as a user meets it: [`rows`].

pub mod event_f1;
pub mod nab;
pub mod ranking;
pub mod rows;
pub mod stretches;
pub mod volume;
