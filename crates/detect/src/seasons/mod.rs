//! What hour and weekday foretell.

pub(crate) mod hours;
pub(crate) mod profile;
pub(crate) mod season;
pub(crate) mod volume;
