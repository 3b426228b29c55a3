//! What a context gives: strings, its database, whether this node leads.

use redis_module::{Context, RedisError, RedisString, raw};

/// The server's string for `bytes`.
pub(crate) fn string(ctx: &Context, bytes: &[u8]) -> RedisString {
    RedisString::create_from_slice(ctx.ctx, bytes)
}

/// Number of the database that `ctx` works on.
pub(crate) fn selected(ctx: &Context) -> i32 {
    // SAFETY: a context that the server gave us.
    unsafe { raw::RedisModule_GetSelectedDb.map_or(0, |get| get(ctx.ctx)) }
}

/// Makes `ctx` work on database `db`.
pub(crate) fn select(ctx: &Context, db: i32) -> bool {
    // SAFETY: a context that the server gave us.
    unsafe { raw::RedisModule_SelectDb.is_some_and(|select| select(ctx.ctx, db) == raw::Status::Ok as i32) }
}

/// Whether this node may change the log now: an unpaused primary that isn't loading.
pub(crate) fn leads(ctx: &Context) -> bool {
    use redis_module::ContextFlags as Flags;
    let flags = ctx.get_flags();
    // SAFETY: no argument. A write while replica traffic is to be avoided makes the server assert and die.
    let paused = unsafe { raw::RedisModule_AvoidReplicaTraffic.is_some_and(|avoid| avoid() != 0) };
    flags.contains(Flags::MASTER) && !flags.contains(Flags::LOADING) && !paused
}

/// Whether this is a primary of a cluster that a client talks to; what the log says is never refused.
pub(crate) fn serves_a_slot(ctx: &Context) -> bool {
    use redis_module::ContextFlags as Flags;
    let flags = ctx.get_flags();
    flags.contains(Flags::CLUSTER | Flags::MASTER) && !flags.contains(Flags::LOADING)
}

/// Random bytes from the server, to be replicated with what is made of them.
///
/// # Errors
/// A server that doesn't give any.
pub(crate) fn salt() -> Result<[u8; 16], RedisError> {
    let mut bytes = [0; 16];
    // SAFETY: the buffer is as long as is said.
    unsafe {
        let draw = raw::RedisModule_GetRandomBytes.ok_or(RedisError::Str("ERR the server draws no random bytes"))?;
        draw(bytes.as_mut_ptr(), bytes.len());
    }
    Ok(bytes)
}
