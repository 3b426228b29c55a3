//! Emptying outboxes: closed windows become stream entries, written by the primary alone and replicated as they are.

use crate::ffi::key::with_monitor;
use crate::translate;
use eddyline_wire::fingerprint::{Fingerprint, schema_id};
use eddyline_wire::keys::{CLOSED, Companions};
use redis_module::{CallOptions, CallOptionsBuilder, CallReply, CallResult, Context};
use std::time::Instant;

/// Sends what waits in the outbox of `key` until `deadline`. Says whether something still waits.
///
/// # Errors
/// The server refused to write: the window stays in the outbox. What it said.
pub(crate) fn send_waiting(ctx: &Context, key: &[u8], deadline: Instant) -> Result<bool, String> {
    let Ok(companions) = Companions::of(key) else { return Ok(false) };
    let write = CallOptionsBuilder::new().replicate().script_mode().verify_oom().errors_as_replies().build();
    loop {
        let waiting = with_monitor(ctx, key, false, |monitor| {
            let (closed, schema) = (monitor.outbox()?, monitor.schema()?);
            let record = translate::schema(schema);
            Some((translate::fingerprint(closed, schema), record, monitor.definition().retention))
        });
        let Ok(Some((fingerprint, record, retention))) = waiting else { return Ok(false) };
        if Instant::now() >= deadline {
            return Ok(true);
        }
        keep_schema(ctx, &companions, &write, fingerprint.schema, &record.to_json())?;
        match add(ctx, &companions, &write, &fingerprint, retention) {
            Ok(()) => {}
            Err(refusal) if refusal.contains("equal or smaller") => {
                if !stands(ctx, &companions, &fingerprint) {
                    ctx.log_warning(&format!(
                        "eddyline: fingerprint {} of {} is lost: its stream has a later entry that somebody else added",
                        fingerprint.id(),
                        String::from_utf8_lossy(key)
                    ));
                }
            }
            Err(refusal) => return Err(refusal),
        }
        let end = fingerprint.end_ms.to_string();
        let _ = with_monitor(ctx, key, false, |monitor| monitor.sent(fingerprint.end_ms));
        ctx.replicate("EDDY.SENT", &[key, end.as_bytes()][..]);
        let wake = CallOptionsBuilder::new().build();
        let _: CallResult<'_> = ctx.call_ext("PUBLISH", &wake, &[CLOSED.as_bytes(), key][..]);
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
    call(ctx, "XADD", options, &args).map(|_| ())
}

/// Writes the schema's record where it isn't there: before the first fingerprint, or after somebody deleted it.
fn keep_schema(
    ctx: &Context,
    companions: &Companions,
    options: &CallOptions,
    id: u64,
    record: &str,
) -> Result<(), String> {
    let (hash, id) = (companions.schemas(), schema_id(id));
    let read = CallOptionsBuilder::new().errors_as_replies().build();
    if call(ctx, "HEXISTS", &read, &[&hash, id.as_bytes()])? == Some(1) {
        return Ok(());
    }
    call(ctx, "HSET", options, &[&hash, id.as_bytes(), record.as_bytes()]).map(|_| ())
}

/// Whether the stream has an entry under the fingerprint's id.
fn stands(ctx: &Context, companions: &Companions, fingerprint: &Fingerprint) -> bool {
    let (stream, id) = (companions.fingerprints(), fingerprint.id());
    let read = CallOptionsBuilder::new().errors_as_replies().build();
    let reply: CallResult<'_> = ctx.call_ext("XRANGE", &read, &[stream.as_slice(), id.as_bytes(), id.as_bytes()][..]);
    matches!(reply, Ok(CallReply::Array(entries)) if entries.len() == 1)
}

/// Calls `command`; the integer it replies with, if it does.
fn call(ctx: &Context, command: &str, options: &CallOptions, args: &[&[u8]]) -> Result<Option<i64>, String> {
    let reply: CallResult<'_> = ctx.call_ext(command, options, args);
    match reply {
        Ok(CallReply::I64(number)) => Ok(Some(number.to_i64())),
        Ok(_) => Ok(None),
        Err(error) => Err(error.to_utf8_string().unwrap_or_else(|| "an unreadable error".to_owned())),
    }
}
