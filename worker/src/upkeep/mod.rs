//! `eddyline delete|rename|copy`: a monitor is many keys, and Redis' own DEL, RENAME and COPY take one.
//!
//! What there is is [looked at](belongings) first and shown; then one script makes the whole [`change`], or nothing. Workers may run meanwhile:
//! the lease stays behind under the old name for as long as one needs to notice, so that none works on what is gone.
//!
//! `eddyline export|import`: what was learnt about a monitor as a file ([`archive`]), for another Redis or another monitor.

pub mod archive;
pub mod belongings;
pub mod change;
pub mod command;
pub mod export;
pub mod import;
