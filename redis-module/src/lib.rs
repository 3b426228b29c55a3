//! The Redis module: commands, the native type, the hook that hears `XADD`, the timer that closes and sends.
//!
//! No logic of its own: what a monitor is and does stands in `eddyline-monitor`, what commands say in `eddyline-wire`.
//! Here they meet Redis. Every entry point passes [`guard`], every `unsafe` lives in [`ffi`].

mod catch_up;
mod commands;
mod emit;
mod ffi;
mod guard;
mod hook;
mod registry;
mod tick;
mod translate;

use redis_module::{Context, RedisString, Status};

/// What `redis_module!` calls once the API is there.
fn load(ctx: &Context, args: &[RedisString]) -> Status {
    if let Some(first) = args.first() {
        let text = format!("eddyline takes no module arguments, got '{}'", first.to_string_lossy());
        ffi::log::warning_in(ctx, &text);
        return Status::Err;
    }
    let registered = commands::register(ctx)
        .and_then(|()| ffi::events::subscribe(ctx, hook::on_event))
        .and_then(|()| ffi::events::subscribe_server(ctx));
    if let Err(what) = registered {
        ffi::log::warning_in(ctx, &format!("eddyline can't be loaded: the server refused {what}"));
        return Status::Err;
    }
    tick::start(ctx);
    Status::Ok
}
