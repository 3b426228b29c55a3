//! What each sketch promises, as properties, and what its bytes promise to the next version.

mod classic;
mod count_min;
mod distinct;
mod heavy_hitters;
mod novelty;
mod quantiles;
mod stored;

use eddyline_sketch::ItemHash;

/// Hash of a numbered item.
fn numbered(item: u64) -> ItemHash {
    ItemHash::of(&item.to_le_bytes())
}
