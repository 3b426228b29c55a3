//! From incidents of all monitors to what people are told: grouped, within the budget of the deployment, delivered.

pub mod budget;
pub mod group;
pub mod groups;
pub mod settings;
mod title;
