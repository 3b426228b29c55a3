//! From fingerprints to incidents.
//!
//! Pure and deterministic: the same windows in the same order give the same bits. A [`Pipeline`] judges a window with what
//! it knew before it, then learns from it. What a window meets, in order:
//!
//! 1. its [`Layout`] names the blocks of the vector; each is cut into *parts*, one detector each (`part`);
//! 2. hours and weekdays are taken out of numbers where that helps (`seasons`);
//! 3. a detector's raw score: of counts and histograms (`counts`), of numbers (`numbers`), the ensemble or those chosen by name;
//! 4. its `p`, the chance that an ordinary window scores as high, and one `p` from all (`chance`), beside it how unusual
//!    it is what the window lacks (`absence`);
//! 5. the incident it opens, continues or ends, explained in words (`incidents`), as far as `controls` allow;
//! 6. what is learned from it: little if it is unusual, so that what is wrong doesn't become normal before it is accepted.
//!
//! ```
//! use eddyline_detect::{Block, Layout, Pipeline, Settings, Window};
//!
//! let layout = Layout { blocks: vec![Block::Numeric { names: vec!["load".into(), "queue".into()] }] };
//! let mut pipeline = Pipeline::new(layout, Settings::new(60_000))?;
//! for minute in 1..=600_u64 {
//!     let wave = (minute % 7) as f32 * 0.1;
//!     let values = if minute == 600 { [9.0, 40.0] } else { [1.0 + wave, 4.0 - wave] };
//!     let window = Window { end_ms: minute * 60_000, n: 1, values: &values, gap_ms: 0, items: &[], slots: &[] };
//!     let verdict = pipeline.push(&window)?;
//!     assert_eq!(verdict.score >= 0.5, minute == 600);
//! }
//! # Ok::<(), eddyline_detect::Error>(())
//! ```

pub mod choice;
pub mod controls;
pub mod error;
pub mod layout;
pub mod settings;
pub mod window;
pub mod zone;

mod absence;
mod chance;
mod counts;
mod detector;
mod histogram;
mod incidents;
mod numbers;
mod part;
mod pipeline;
mod reservoir;
mod seasons;
mod track;

pub use choice::{Detector, Detectors};
pub use controls::{Controls, Held};
pub use error::Error;
pub use incidents::verdict::{
    Cause, CauseItem, Change, Direction, Incident, Kind, Resolution, Severity, State, Verdict,
};
pub use layout::{Block, Layout};
pub use pipeline::Pipeline;
pub use settings::Settings;
pub use window::{Item, SlotName, Window};
pub use zone::Zone;
