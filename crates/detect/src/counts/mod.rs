//! Models of counts and histograms: Poisson deviance over an adaptive memory, and heavy items one by one.

pub(crate) mod count;
pub(crate) mod heavy;
pub(crate) mod hidden;
pub(crate) mod recent;
