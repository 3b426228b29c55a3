//! The Redis module: commands, the native type, the hook that hears `XADD`, the timer that closes and sends.
//!
//! No logic of its own: what a monitor is and does stands in `eddyline-monitor`, what commands say in `eddyline-wire`.
//! Here they meet Redis. Every entry point passes [`guard`], every `unsafe` lives in [`ffi`].

mod catch_up;
mod cms;
mod commands;
mod counters;
mod emit;
mod ffi;
mod guard;
mod hook;
mod limit;
mod node_info;
mod registry;
mod tick;
mod translate;

use eddyline_wire::config::Config;
use redis_module::Context;

/// What the server's call comes to once the API is there; an error keeps the module out.
fn load(ctx: &Context, args: &[&[u8]]) -> Result<(), String> {
    let config = Config::from_arguments(args).map_err(|error| error.to_string())?;
    // what the server or we ourselves may refuse comes first: Redis 7.0 goes on calling the hooks of a module that it let go
    let refused = |what: &str| format!("the server refused {what}");
    ffi::config::register(ctx, &config).and_then(|()| commands::register(ctx)).map_err(refused)?;
    cms::register(ctx, ffi::config::cms_commands())?;
    ffi::events::subscribe(ctx, hook::on_event)
        .and_then(|()| ffi::events::subscribe_server(ctx))
        .and_then(|()| ffi::info::register(ctx, node_info::tell))
        .map_err(refused)?;
    tick::start(ctx);
    Ok(())
}
