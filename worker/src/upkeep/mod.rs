//! `eddyline delete|rename|copy`: a monitor is many keys, and Redis' own DEL, RENAME and COPY take one.
//!
//! What there is is [looked at](belongings) first and shown; then one script makes the whole [`change`], or nothing. Workers may run meanwhile:
//! the lease stays behind under the old name for as long as one needs to notice, so that none works on what is gone.

pub mod belongings;
pub mod change;
pub mod command;
