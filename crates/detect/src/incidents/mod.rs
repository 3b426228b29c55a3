//! From `p` to incidents and what is said of them.

pub(crate) mod cause;
pub(crate) mod incident;
pub(crate) mod names;
pub(crate) mod summary;
pub(crate) mod verdict;
