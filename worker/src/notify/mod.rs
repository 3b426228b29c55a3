//! From incidents of all monitors to what people are told: grouped, within the budget of the deployment, delivered.
//!
//! Streams are the truth. One worker at a time is the [`notifier`]: it reads every monitor's incidents, makes [`groups`] of
//! them, and writes what it then knows together with the notifications that this makes. From there each sink gets them in
//! order, as far as it is. What is pure ([`budget`], [`group`], [`groups`]) takes the time as an argument.

pub mod budget;
pub mod group;
pub mod groups;
pub mod notifier;
pub mod plan;
pub mod settings;
pub mod state;

mod absent;
mod clock;
mod dead_letters;
mod deliveries;
mod delivery;
mod desk;
mod reading;
mod title;
mod unreached;
