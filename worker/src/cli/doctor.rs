//! Arguments of `eddyline doctor`.

use super::ServerArgs;
use clap::Args;

const DOCTOR_EXAMPLES: &str = "\
Examples:
  eddyline doctor
  eddyline doctor --redis redis://redis.internal:6379/2
  eddyline doctor --json | jq '.findings[] | select(.level == \"problem\")'

It looks at the server (version, module, memory, eviction, persistence, replicas, rights, clock), at the workers (does one
live, does one notify, do sinks take what they are sent), at every monitor of the database (do events come, are its windows
written, is it scored, does it know enough to alert) and at keys that belong to none. It changes nothing. Each finding has
a code that stays the same and the command that mends it. The exit code is 1 if something is wrong; advice alone leaves
it 0.";

/// Arguments of `eddyline doctor`.
#[derive(Debug, Args)]
#[command(after_help = DOCTOR_EXAMPLES)]
pub struct DoctorArgs {
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// The server.
    #[command(flatten)]
    pub server: ServerArgs,
}
