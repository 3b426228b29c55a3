//! `CMS.*`: the grammar of RedisBloom's count-min sketch commands, refusals to the letter.
//!
//! The original looks at keys between arguments, so what a client reads depends on the order. Each function here reads
//! what is due at one point; the module calls them in the order of the original.

mod increments;
mod merge;
mod number;
mod table;

pub use increments::Increments;
pub use merge::Merge;
pub use table::{CMS_CATEGORY, CMS_COMMANDS};

use number::integer;

/// Most bytes of cells that a client may ask for: 1 GiB.
pub const MAX_BYTES: usize = 1 << 30;

/// Why a command was refused. Displays as the reply that clients of the original know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// Too few or too many arguments; the command's name in lower case.
    #[error("ERR wrong number of arguments for '{0}' command")]
    Arity(&'static str),
    /// The key holds something else.
    #[error("WRONGTYPE Operation against a key holding the wrong kind of value")]
    WrongType,
    /// Nothing is behind the key.
    #[error("CMS: key does not exist")]
    NoKey,
    /// Something is behind the key already.
    #[error("CMS: key already exists")]
    KeyExists,
    /// Not an integer of at least 1.
    #[error("CMS: invalid width")]
    Width,
    /// Not an integer of at least 1.
    #[error("CMS: invalid depth")]
    Depth,
    /// Not between 0 and 1.
    #[error("CMS: invalid overestimation value")]
    Overestimation,
    /// Not between 0 and 1.
    #[error("CMS: invalid prob value")]
    Probability,
    /// A shape without cells, or with more than can be numbered.
    #[error("CMS: invalid init arguments")]
    Shape,
    /// More cells than there is, or may be, memory for.
    #[error("CMS: Insufficient memory to create the key")]
    Memory,
    /// An increment that is no 64-bit integer.
    #[error("CMS: Cannot parse number")]
    Increment,
    /// An increment below 0.
    #[error("CMS: Number cannot be negative")]
    Negative,
    /// An item's cells are full: the reply in its place.
    #[error("CMS: INCRBY overflow")]
    Full,
    /// The number of sources is no integer.
    #[error("CMS: invalid numkeys")]
    NumKeys,
    /// The number of sources is below 1.
    #[error("CMS: Number of keys must be positive")]
    NoKeys,
    /// More or fewer sources than their number says.
    #[error("CMS: wrong number of keys")]
    KeyCount,
    /// More or fewer sources or weights than the number says.
    #[error("CMS: wrong number of keys/weights")]
    WeightCount,
    /// A weight that is no 64-bit integer.
    #[error("CMS: invalid weight value")]
    Weight,
    /// Sketches of different shape.
    #[error("CMS: width/depth is not equal")]
    ShapesDiffer,
    /// A merged cell or count outside of its range.
    #[error("CMS: MERGE overflow")]
    MergeOverflow,
    /// Cells that an append-only file holds don't fit their shape.
    #[error("ERR the sketch can't be restored: its cells don't fit its shape")]
    Corrupt,
    /// Ours, not the client's.
    #[error("ERR eddyline met a bug in this command; the server's log says more")]
    Bug,
}

/// Width and depth of `CMS.INITBYDIM`.
///
/// # Errors
/// Sides that are no integers of at least 1.
pub fn dimensions(width: &[u8], depth: &[u8]) -> Result<(u64, u64), CmsError> {
    let side = |text: &[u8]| integer(text).filter(|&side| side >= 1).map(i64::cast_unsigned);
    Ok((side(width).ok_or(CmsError::Width)?, side(depth).ok_or(CmsError::Depth)?))
}

/// Error and probability of `CMS.INITBYPROB`.
///
/// # Errors
/// Numbers that aren't between 0 and 1, exclusive.
pub fn rates(error: &[u8], probability: &[u8]) -> Result<(f64, f64), CmsError> {
    let rate = |text: &[u8]| super::arguments::parse::<f64>(text).filter(|&rate| rate > 0.0 && rate < 1.0);
    Ok((rate(error).ok_or(CmsError::Overestimation)?, rate(probability).ok_or(CmsError::Probability)?))
}

/// Width, depth and count as an append-only file holds them.
///
/// # Errors
/// Numbers that are none.
pub fn stored(width: &[u8], depth: &[u8], count: &[u8]) -> Result<(u64, u64, i64), CmsError> {
    let (width, depth) = dimensions(width, depth).map_err(|_| CmsError::Corrupt)?;
    Ok((width, depth, integer(count).ok_or(CmsError::Corrupt)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_wrong_argument_is_named() {
        assert_eq!(dimensions(b"20", b"5"), Ok((20, 5)));
        for bad in ["0", "-1", "x", "1.5", "", " 1", "+1", "01", "9223372036854775808"] {
            assert_eq!(dimensions(bad.as_bytes(), bad.as_bytes()), Err(CmsError::Width), "{bad}");
            assert_eq!(dimensions(b"1", bad.as_bytes()), Err(CmsError::Depth), "{bad}");
        }
        assert_eq!(rates(b"0.001", b"1e-2"), Ok((0.001, 0.01)));
        for bad in ["0", "1", "-0.1", "abc", "nan", "inf", "", "0.1 "] {
            assert_eq!(rates(bad.as_bytes(), bad.as_bytes()), Err(CmsError::Overestimation), "{bad}");
            assert_eq!(rates(b"0.5", bad.as_bytes()), Err(CmsError::Probability), "{bad}");
        }
    }
}
