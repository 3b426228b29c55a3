//! One command, one file: parse, apply, reply.

mod alter;
mod catchup;
mod close;
mod count;
mod create;
mod fingerprint;
mod help;
mod info;
mod list;
mod mobserve;
mod observe;
mod quantile;
mod read;
mod reset;
mod restore;
mod schema;
mod sent;
mod top;

use crate::ffi::command::{Entry, entry};
use crate::ffi::register::{own_category, register as register_one};
use eddyline_monitor::NoAnswer;
use eddyline_wire::command::CommandError;
use eddyline_wire::command::table::{CATEGORY, COMMANDS};
use redis_module::{Context, RedisError};

/// Registers every command of the wire's table.
///
/// # Errors
/// What the server refused.
pub(crate) fn register(ctx: &Context) -> Result<(), &'static str> {
    let own = own_category(ctx, CATEGORY);
    for command in COMMANDS {
        let entry = entry_of(command.name).ok_or("a command without a handler")?;
        register_one(ctx, command, entry, own)?;
    }
    Ok(())
}

fn entry_of(name: &str) -> Option<Entry> {
    Some(match name {
        "EDDY.CREATE" => entry!(create::create),
        "EDDY.OBSERVE" => entry!(keyed observe::observe),
        "EDDY.MOBSERVE" => entry!(keyed mobserve::mobserve),
        "EDDY.COUNT" => entry!(count::count),
        "EDDY.TOP" => entry!(top::top),
        "EDDY.QUANTILE" => entry!(quantile::quantile),
        "EDDY.FINGERPRINT" => entry!(fingerprint::fingerprint),
        "EDDY.SCHEMA" => entry!(schema::schema),
        "EDDY.INFO" => entry!(info::info),
        "EDDY.LIST" => entry!(list::list),
        "EDDY.HELP" => entry!(help::help),
        "EDDY.ALTER" => entry!(alter::alter),
        "EDDY.RESET" => entry!(reset::reset),
        "EDDY.CATCHUP" => entry!(catchup::catchup),
        "EDDY.CLOSE" => entry!(close::close),
        "EDDY.READ" => entry!(read::read),
        "EDDY.SENT" => entry!(sent::sent),
        "EDDY.RESTORE" => entry!(restore::restore),
        _ => return None,
    })
}

/// A refusal of the grammar as an error reply.
fn refused(error: CommandError) -> RedisError {
    RedisError::String(error.to_string())
}

/// What a monitor can't answer as an error reply.
fn unanswered(no: NoAnswer) -> RedisError {
    RedisError::String(format!("ERR {no}"))
}
