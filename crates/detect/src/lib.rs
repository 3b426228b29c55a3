//! From fingerprints to incidents.
//!
//! Pure and deterministic: the same windows in the same order give the same bits. A [`Pipeline`] judges a window with what
//! it knew before it, then learns from it.

pub mod error;
pub mod layout;
pub mod settings;
pub mod window;

mod calibration;
mod cause;
mod change;
mod cholesky;
mod count;
mod detector;
mod feature;
mod forecast;
mod histogram;
mod incident;
mod joint;
mod level;
mod moments;
mod names;
mod numeric;
mod part;
mod pipeline;
mod recent;
mod regimes;
mod reservoir;
mod summary;
mod track;
mod trail;
mod verdict;

pub use error::Error;
pub use layout::{Block, Layout};
pub use pipeline::Pipeline;
pub use settings::Settings;
pub use verdict::{Cause, CauseItem, Change, Direction, Incident, Kind, Resolution, Severity, State, Verdict};
pub use window::{Item, SlotName, Window};
