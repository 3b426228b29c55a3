//! Arguments of `eddyline doctor`.

use super::ServerArgs;
use clap::Args;

const DOCTOR_EXAMPLES: &str = "\
Examples:
  eddyline doctor
  eddyline doctor --redis redis://redis.internal:6379/2
  eddyline doctor --json | jq '.findings[] | select(.level == \"problem\")'

It looks at the server (version, module, memory, eviction, persistence, replicas, rights), at every monitor of the
database (are its windows written, is it scored) and at keys that belong to none. It changes nothing. The exit code is 1 if
something is wrong; advice alone leaves it 0.";

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
