//! What should be there and isn't: traffic, values, movement.
//!
//! Models of what is there say little of what is not: an empty window has no latencies to be slow, and a number that stopped
//! moving is as usual as it can be. So absence is judged beside them, by how long it has ever lasted.

pub(crate) mod evidence;
pub(crate) mod hours;
pub(crate) mod runs;
pub(crate) mod silence;
pub(crate) mod still;
