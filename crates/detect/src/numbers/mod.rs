//! Models of numbers: features on their scales, their short memory, and the detectors that look at them.

pub(crate) mod change;
pub(crate) mod cholesky;
pub(crate) mod cluster;
pub(crate) mod energy;
pub(crate) mod ewma;
pub(crate) mod feature;
pub(crate) mod forecast;
pub(crate) mod level;
pub(crate) mod lone;
pub(crate) mod mixture;
pub(crate) mod moments;
pub(crate) mod moving_average;
pub(crate) mod novelty;
pub(crate) mod numeric;
pub(crate) mod regimes;
pub(crate) mod running;
pub(crate) mod single;
pub(crate) mod trail;
pub(crate) mod unit;
pub(crate) mod zscore;
