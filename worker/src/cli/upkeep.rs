//! Arguments of `eddyline delete`, `rename` and `copy`.

use super::ServerArgs;
use super::values::companions;
use crate::upkeep::change::Change;
use crate::upkeep::command::Order;
use clap::Args;
use eddyline_wire::keys::Companions;

const DELETE_EXAMPLES: &str = "\
Examples:
  eddyline delete checkout --dry-run     what would be deleted
  eddyline delete checkout               asks on the terminal
  eddyline delete checkout --yes --redis redis://redis.internal:6379/2

DEL checkout leaves its streams and what was learnt behind. This deletes {checkout}:fingerprints, :schemas, :scores,
:incidents, :model, :settings and :lease:tokens too, all at once; its sources stay. An open incident is reported as
resolved on eddyline:alerts. Workers may run meanwhile; one that was started with --monitor checkout goes on waiting for
fingerprints of that name.";

/// Arguments of `eddyline delete`.
#[derive(Debug, Args)]
#[command(after_help = DELETE_EXAMPLES)]
pub struct DeleteArgs {
    /// The monitor.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// Only say what would be deleted.
    #[arg(long)]
    pub dry_run: bool,
    /// Don't ask.
    #[arg(long)]
    pub yes: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

const RENAME_EXAMPLES: &str = "\
Examples:
  eddyline rename checkout payments
  eddyline rename checkout payments --dry-run
  eddyline rename '{shop}:checkout' '{shop}:payments'     in a cluster: the same hash tag

All keys get their new names at once, or none does: none may be there before. Workers may run meanwhile and go on under
the new name: no window is scored twice, and an open incident keeps its id. What was written before, such as the messages
in the stream of incidents, goes on naming the old one.";

/// Arguments of `eddyline rename`.
#[derive(Debug, Args)]
#[command(after_help = RENAME_EXAMPLES)]
pub struct RenameArgs {
    /// The two monitors.
    #[command(flatten)]
    pub names: OldAndNew,
}

const COPY_EXAMPLES: &str = "\
Examples:
  eddyline copy checkout checkout-test
  eddyline copy '{shop}:checkout' '{shop}:checkout-test' --dry-run

The copy has the fingerprints, scores, incidents and all that was learnt, reads the same sources, and goes on by itself; only the
lease isn't copied. An incident that is open stays the original's. Copying long streams takes the server some
milliseconds.";

/// Arguments of `eddyline copy`.
#[derive(Debug, Args)]
#[command(after_help = COPY_EXAMPLES)]
pub struct CopyArgs {
    /// The two monitors.
    #[command(flatten)]
    pub names: OldAndNew,
}

/// Arguments of what makes one monitor of another.
#[derive(Debug, Args)]
pub struct OldAndNew {
    /// The monitor.
    #[arg(value_parser = companions)]
    pub monitor: Companions,
    /// The new name; nothing may be there.
    #[arg(value_parser = companions)]
    pub new: Companions,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}

impl From<DeleteArgs> for Order {
    fn from(args: DeleteArgs) -> Self {
        let DeleteArgs { monitor, dry_run, yes, server } = args;
        Self { address: server.redis, monitor, change: Change::Delete, dry_run, yes }
    }
}

impl From<RenameArgs> for Order {
    fn from(RenameArgs { names }: RenameArgs) -> Self {
        let OldAndNew { monitor, new, dry_run, server } = names;
        Self { address: server.redis, monitor, change: Change::Rename(new), dry_run, yes: true }
    }
}

impl From<CopyArgs> for Order {
    fn from(CopyArgs { names }: CopyArgs) -> Self {
        let OldAndNew { monitor, new, dry_run, server } = names;
        Self { address: server.redis, monitor, change: Change::Copy(new), dry_run, yes: true }
    }
}
