//! From the command line to a change, and what is said on the way.

use super::belongings::Belongings;
use super::change::{Change, ChangeError, Mode, look, make};
use crate::store::connect::Address;
use eddyline_wire::keys::Companions;
use eddyline_wire::text::printable;
use std::io::{self, BufRead, IsTerminal, Write};

/// A change that was asked for.
#[derive(Debug)]
pub struct Order {
    /// Where Redis is.
    pub address: Address,
    /// The monitor.
    pub monitor: Companions,
    /// What is to become of it.
    pub change: Change,
    /// Only say what would be done.
    pub dry_run: bool,
    /// Don't ask.
    pub yes: bool,
}

/// Why an order isn't carried out. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Nobody can be asked.
    #[error("nothing was deleted: there is no terminal to ask on, so say --yes (or --dry-run to see what it would be)")]
    Unasked,
    /// The answer was no.
    #[error("nothing was deleted")]
    Declined,
    /// The change isn't possible.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The terminal is gone.
    #[error(transparent)]
    Terminal(#[from] io::Error),
}

/// Shows what there is, asks where something would be lost, and makes the change.
///
/// # Errors
/// See [`OrderError`].
pub fn run(order: &Order) -> Result<(), OrderError> {
    let Order { address, monitor, change, .. } = order;
    let mut connection = address.connect_blocking_for_command().map_err(ChangeError::from)?;
    let found = look(monitor, change, &mut connection)?;
    let mut out = io::stdout().lock();
    if order.dry_run {
        make(monitor, change, Mode::Ask, &mut connection)?;
        write!(out, "{} would {}:\n{}", address.shown(), sentence(order), listed(&found, change))?;
        return Ok(());
    }
    if *change == Change::Delete && !order.yes {
        write!(out, "{}: {}\n{}", address.shown(), sentence(order), listed(&found, change))?;
        ask(&mut out)?;
    }
    let changed = make(monitor, change, Mode::Do, &mut connection)?;
    let done = match change {
        Change::Delete => "deleted",
        Change::Rename(_) => "renamed",
        Change::Copy(_) => "copied",
    };
    writeln!(out, "{done}: {} keys", changed.keys)?;
    Ok(())
}

fn sentence(order: &Order) -> String {
    let name = |keys: &Companions| printable(keys.monitor(), 128);
    let monitor = name(&order.monitor);
    match &order.change {
        Change::Delete => format!("delete monitor {monitor}"),
        Change::Rename(new) => format!("rename monitor {monitor} to {}", name(new)),
        Change::Copy(new) => format!("copy monitor {monitor} to {}", name(new)),
    }
}

fn listed(found: &Belongings, change: &Change) -> String {
    let copied = matches!(change, Change::Copy(_));
    let keys = found.keys.iter().filter(|belonging| !(copied && belonging.key.ends_with(b":lease:tokens")));
    let mut text: String = keys.map(|belonging| format!("  {belonging}\n")).collect();
    if let Some(open) = &found.open_incident {
        let what = match change {
            Change::Delete => "it is reported as resolved, the monitor being deleted",
            Change::Rename(_) => "it goes on under its id and the new name",
            Change::Copy(_) => "it stays with the original; should it go on in the copy, that reports its own",
        };
        text += &format!("  incident {} is open ({}): {what}\n", open.incident, open.summary);
    }
    text
}

fn ask(out: &mut impl Write) -> Result<(), OrderError> {
    if !io::stdin().is_terminal() {
        return Err(OrderError::Unasked);
    }
    write!(out, "Delete all this? [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) { Ok(()) } else { Err(OrderError::Declined) }
}
