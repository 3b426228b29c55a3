//! The worker at work: a task for each monitor, over connections that come and go.

pub mod context;
pub mod finder;
pub mod scorer;
pub mod sharing;
pub mod status;
pub mod troubles;
pub mod worker;

mod fault;
mod grade;
mod holding;
mod missed;
mod overdue;
mod session;
mod tasks;
