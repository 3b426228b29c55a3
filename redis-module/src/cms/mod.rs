//! `CMS.*`: RedisBloom's count-min sketch commands for servers that don't have them, all or none.

mod count;
mod create;
mod merge;

use crate::ffi::cms_call::direct;
use crate::ffi::cms_type::CMS;
use crate::ffi::command::Entry;
use crate::ffi::log;
use crate::ffi::register::{own_category, register as register_one};
use eddyline_wire::command::cms::{CMS_CATEGORY, CMS_COMMANDS};
use eddyline_wire::config::CmsCommands;
use redis_module::{Context, RedisValue};
use std::sync::OnceLock;

/// Who answers `CMS.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    /// This module.
    Own,
    /// The server, or another module that was there before.
    Server,
    /// Nobody, as far as this module has to do with it.
    Off,
}

static PROVIDER: OnceLock<Provider> = OnceLock::new();

/// Who answers since the module was loaded, as `INFO` names it.
pub(crate) fn provider() -> &'static str {
    match PROVIDER.get() {
        Some(Provider::Own) => "self",
        Some(Provider::Server) => "server",
        Some(Provider::Off) | None => "off",
    }
}

/// Registers the commands and their type as `mode` says, and says in the log what came of it. The type goes with the
/// commands: two modules can't share its name.
///
/// # Errors
/// What the server refused, or has already where it mustn't.
pub(crate) fn register(ctx: &Context, mode: CmsCommands) -> Result<(), String> {
    let theirs = CMS_COMMANDS.iter().map(|command| command.name).find(|name| exists(ctx, name));
    let provider = match (mode, theirs) {
        (CmsCommands::No, _) => Provider::Off,
        (CmsCommands::Auto, Some(_)) => Provider::Server,
        (CmsCommands::Yes, Some(name)) => {
            return Err(format!(
                "cms-commands is yes, but the server has {name} already; with auto eddyline leaves CMS.* to it"
            ));
        }
        (_, None) => {
            CMS.create_data_type(ctx.ctx)
                .map_err(|_| "the server refused the type CMSk-TYPE: another module has it")?;
            let category = own_category(ctx, CMS_CATEGORY);
            for command in CMS_COMMANDS {
                let entry = entry_of(command.name).ok_or("a CMS command has no handler")?;
                register_one(ctx, command, entry, category).map_err(|what| format!("the server refused {what}"))?;
            }
            Provider::Own
        }
    };
    log::notice_in(
        ctx,
        match provider {
            Provider::Own => {
                "eddyline provides CMS.*. A module with CMS.* of its own, such as RedisBloom, must be loaded before \
             eddyline, or eddyline with cms-commands no"
            }
            Provider::Server => "eddyline leaves CMS.* to the server, which has it already",
            Provider::Off => "eddyline provides no CMS.*, cms-commands is no",
        },
    );
    let _ = PROVIDER.set(provider);
    Ok(())
}

/// Whether the server has the command, from wherever.
fn exists(ctx: &Context, name: &str) -> bool {
    match ctx.call("COMMAND", &["INFO", name]) {
        Ok(RedisValue::Array(infos)) => infos.iter().any(|info| !matches!(info, RedisValue::Null)),
        _ => false,
    }
}

fn entry_of(name: &str) -> Option<Entry> {
    Some(match name {
        "cms.initbydim" => direct!(create::init_by_dim),
        "cms.initbyprob" => direct!(create::init_by_prob),
        "cms.incrby" => direct!(count::incr_by),
        "cms.query" => direct!(count::query),
        "cms.merge" => direct!(merge::merge),
        "cms.info" => direct!(count::info),
        "eddy.cmsrestore" => direct!(create::restore),
        _ => return None,
    })
}
