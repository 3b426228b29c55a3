//! From raw scores to `p`: the chance that an ordinary window scores as high.

pub(crate) mod calibration;
pub(crate) mod joint;
pub(crate) mod lasting;
pub(crate) mod normal;
pub(crate) mod pace;
