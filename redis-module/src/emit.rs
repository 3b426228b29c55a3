//! Emptying outboxes: closed windows become stream entries, written by the primary alone and replicated as they are.

use crate::counters;
use crate::ffi::events::publish;
use crate::ffi::key::{has_field, with_monitor};
use crate::ffi::log;
use crate::translate;
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::keys::{CLOSED, Companions};
use redis_module::{CallOptions, CallOptionsBuilder, CallResult, Context};
use std::time::Instant;

/// Sends what waits in the outbox of `key` until `deadline`. Says whether something still waits.
///
/// # Errors
/// The window stays in the outbox: what the server said, or why there is no place to write it to.
pub(crate) fn send_waiting(ctx: &Context, key: &[u8], deadline: Instant) -> Result<bool, String> {
    let write = CallOptionsBuilder::new().replicate().script_mode().verify_oom().errors_as_replies().build();
    loop {
        let waiting = with_monitor(ctx, key, false, |monitor| {
            let (closed, schema) = (monitor.outbox()?, monitor.schema()?);
            Some((translate::fingerprint(closed, schema), monitor.definition().retention))
        });
        let Ok(Some((fingerprint, retention))) = waiting else { return Ok(false) };
        if Instant::now() >= deadline {
            return Ok(true);
        }
        let companions = Companions::of(key).map_err(|error| error.to_string())?;
        keep_schema(ctx, &companions, &write, fingerprint.schema)?;
        let lost = match add(ctx, &companions, &write, &fingerprint, retention) {
            Ok(()) => false,
            Err(refusal) if refusal.contains("equal or smaller") => !stands(ctx, &companions, &fingerprint),
            Err(refusal) => return Err(refusal),
        };
        settle(ctx, key, &fingerprint, lost);
    }
}

/// The fingerprint stands in the stream, or never will: the log says so, and the monitor goes on.
fn settle(ctx: &Context, key: &[u8], fingerprint: &Fingerprint, lost: bool) {
    let end = fingerprint.end_ms.to_string();
    if lost {
        let name = String::from_utf8_lossy(key);
        let id = fingerprint.id();
        log::warning_in(
            ctx,
            &format!(
                "eddyline: fingerprint {id} of {name} is lost, its stream has a later entry: somebody else wrote there, or \
                 the monitor was made anew. The next one says gap; DEL the stream if its later entries are wrong"
            ),
        );
        let _ = with_monitor(ctx, key, false, |monitor| monitor.lose(fingerprint.end_ms));
        ctx.replicate("EDDY.SENT", &[key, end.as_bytes(), b"LOST"][..]);
    } else {
        counters::SENT.add(1);
        let _ = with_monitor(ctx, key, false, |monitor| monitor.sent(fingerprint.end_ms));
        ctx.replicate("EDDY.SENT", &[key, end.as_bytes()][..]);
        publish(ctx, CLOSED.as_bytes(), key);
    }
}

fn add(
    ctx: &Context,
    companions: &Companions,
    options: &CallOptions,
    fingerprint: &Fingerprint,
    retention: u64,
) -> Result<(), String> {
    let (stream, id, retention) = (companions.fingerprints(), fingerprint.id(), retention.to_string());
    let fields = fingerprint.to_fields();
    let mut args: Vec<&[u8]> = vec![&stream, b"MAXLEN", b"~", retention.as_bytes(), id.as_bytes()];
    args.extend(fields.iter().flat_map(|(field, value)| [field.as_bytes(), value.as_slice()]));
    call(ctx, "XADD", options, &args)
}

/// Writes the schema's record where it isn't there: before the first fingerprint, or after somebody deleted it.
fn keep_schema(ctx: &Context, companions: &Companions, options: &CallOptions, id: u64) -> Result<(), String> {
    let (hash, id) = (companions.schemas(), schema_id(id));
    if has_field(ctx, &hash, id.as_bytes()) {
        return Ok(());
    }
    let record = with_monitor(ctx, companions.monitor(), false, |monitor| monitor.schema().map(translate::schema));
    let Ok(Some(record)) = record.map(|schema| schema.map(|schema| schema.to_json())) else { return Ok(()) };
    call(ctx, "HSET", options, &[&hash, id.as_bytes(), record.as_bytes()])
}

/// Whether the stream has this very fingerprint: a retry finds it, a monitor made anew over old fingerprints doesn't.
fn stands(ctx: &Context, companions: &Companions, fingerprint: &Fingerprint) -> bool {
    crate::ffi::key::entry(ctx, &companions.fingerprints(), fingerprint.end_ms).is_some_and(|entry| {
        let fields = entry.fields.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
        Fingerprint::from_fields(&fingerprint.id(), fields)
            .is_ok_and(|there| (there.schema, there.n) == (fingerprint.schema, fingerprint.n))
    })
}

/// Calls `command`; what the server says where it refuses.
fn call(ctx: &Context, command: &str, options: &CallOptions, args: &[&[u8]]) -> Result<(), String> {
    let reply: CallResult<'_> = ctx.call_ext(command, options, args);
    match reply {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_utf8_string().unwrap_or_else(|| "an unreadable error".to_owned())),
    }
}
