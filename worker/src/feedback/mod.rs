//! What people say of incidents: normal, anomaly, not now; and taking that back. It stands in `{monitor}:settings`
//! ([`record`]), goes with the monitor when that is renamed or copied, and workers act on it within two seconds.
//!
//! [`find`]: the incident that is meant; [`give`]: one script that writes and audits; [`command`]: `eddyline feedback`.

pub mod command;
pub mod find;
pub mod give;
pub mod record;
