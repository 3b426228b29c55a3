//! Sketches: what a monitor remembers about a stream of items and numbers in a fixed, small memory.
//!
//! Pure and deterministic: no clock, no random number, no hash seed that changes, no platform libm. The same
//! calls in the same order give the same bytes on every machine, so a primary, its replica and a replay of the
//! command log agree.
//!
//! Every sketch of a monitor derives `Serialize` and `Deserialize`; deserialising checks lengths, limits and sums, so
//! an invalid sketch can't exist: hostile or truncated bytes give an error, never a panic, and allocate no
//! more than a small multiple of their own length. [`ClassicCountMin`] stands apart: it is the sketch of `CMS.*`, with
//! hash and layout of another's making, and is stored as its parts.
//!
//! ```
//! use eddyline_sketch::{CountMin, Distinct, HeavyHitters, ItemHash, Novelty, Quantiles};
//!
//! let mut counts = CountMin::new(256, 4)?;
//! let mut hitters = HeavyHitters::new(8)?;
//! let mut users = Distinct::new(12)?;
//! let mut known = Novelty::new(1_000, 0.01)?;
//! let mut latency = Quantiles::new();
//! let mut fresh = 0;
//!
//! for call in 0..1_000u32 {
//!     let endpoint: &[u8] = if call % 10 == 0 { b"/refund" } else { b"/charge" };
//!     let hash = ItemHash::of(endpoint); // hashed once, used by every sketch
//!     counts.add(hash, 1);
//!     hitters.add(endpoint, hash, 1);
//!     fresh += u32::from(known.first_seen(hash));
//!     users.add(ItemHash::of(&(call % 50).to_le_bytes()));
//!     latency.add(f64::from(call));
//! }
//!
//! assert_eq!(counts.estimate(ItemHash::of(b"/refund")), 100);
//! assert_eq!(hitters.top(1)[0].item, b"/charge");
//! assert_eq!(fresh, 2);
//! assert!((users.estimate() - 50.0).abs() < 2.0);
//! let p95 = latency.quantile(0.95).expect("not empty");
//! assert!((p95 / 949.0 - 1.0).abs() <= 0.01);
//! # Ok::<(), eddyline_sketch::SketchError>(())
//! ```

mod classic;
mod count_min;
mod distinct;
mod error;
pub mod hash;
mod heavy_hitters;
mod novelty;
mod quantiles;

pub use classic::ClassicCountMin;
pub use count_min::CountMin;
pub use distinct::Distinct;
pub use error::SketchError;
pub use hash::ItemHash;
pub use heavy_hitters::{HeavyHitters, Hitter};
pub use novelty::Novelty;
pub use quantiles::Quantiles;
