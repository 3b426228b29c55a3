//! `EDDY.INFO`.

use super::refused;
use crate::catch_up::extent;
use crate::ffi::key::with_monitor;
use eddyline_monitor::{Clock, Monitor, Phase};
use eddyline_wire::command::Arguments;
use eddyline_wire::fingerprint::schema_id;
use eddyline_wire::text::printable;
use redis_module::{Context, RedisResult, RedisValue};
use std::collections::BTreeMap;

pub(super) fn info(ctx: &Context, args: &[&[u8]]) -> RedisResult {
    let mut args = Arguments::new("eddy.info", args);
    let key = args.required().map_err(refused)?;
    args.end().map_err(refused)?;
    Ok(with_monitor(ctx, key, false, |monitor| reply(ctx, monitor))?)
}

fn reply(ctx: &Context, monitor: &Monitor) -> RedisValue {
    let (definition, left_out) = (monitor.definition(), monitor.left_out());
    let text = |text: &str| RedisValue::BulkString(text.to_owned());
    let number = |number: u64| RedisValue::Integer(number as i64);
    let state = match monitor.phase() {
        Phase::Learning(progress) => format!("learning {}/{}", progress.observations, progress.needed),
        Phase::Counting => "counting".to_owned(),
    };
    let sources = monitor.sources().iter().map(|source| {
        let at = match extent(ctx, &source.name, source.cursor) {
            Ok(_) => format!("{}-{}", source.cursor.ms, source.cursor.seq),
            Err(_) => "not a stream: nothing is read".to_owned(),
        };
        (printable(&source.name, 1024), RedisValue::BulkString(at))
    });
    let mut reasons: BTreeMap<String, RedisValue> = [
        ("late", left_out.late),
        ("out-of-time", left_out.out_of_time),
        ("skipped", left_out.skipped),
        ("dropped-windows", left_out.dropped_windows),
        ("paused", left_out.passed.paused),
        ("trimmed", left_out.passed.trimmed),
    ]
    .into_iter()
    .filter(|(_, count)| *count > 0)
    .map(|(reason, count)| (reason.to_owned(), number(count)))
    .collect();
    for (field, reason, count) in monitor.left_out_by_field() {
        reasons.insert(format!("{field}:{}", reason.as_str()), number(count));
    }
    let (start, end) = monitor.open_window().unwrap_or_default();
    let map = [
        ("state", RedisValue::BulkString(state)),
        ("clock", text(if definition.clock == Clock::Server { "server" } else { "stream" })),
        ("window_ms", number(definition.window_ms)),
        ("open_start_ms", number(start)),
        ("open_end_ms", number(end)),
        ("open_observations", number(monitor.n())),
        ("observations", number(monitor.observations())),
        ("schema", monitor.schema().map_or(RedisValue::Null, |schema| RedisValue::BulkString(schema_id(schema.id)))),
        ("last_fingerprint_ms", number(monitor.last().map_or(0, |closed| closed.end_ms))),
        ("waiting", number(monitor.waiting() as u64)),
        ("retention", number(definition.retention)),
        ("memory_bytes", number(monitor.bytes())),
        ("memory_bytes_at_most", number(monitor.bytes_at_most())),
        ("paused", text(if monitor.paused() { "yes" } else { "no" })),
        ("hashed", RedisValue::Array(definition.hashed.fields.iter().cloned().map(RedisValue::BulkString).collect())),
        ("following", text(if monitor.following() { "yes" } else { "no" })),
        ("sources", sources.collect::<BTreeMap<_, _>>().into()),
        ("left_out", reasons.into()),
    ];
    BTreeMap::from(map.map(|(name, value)| (name.to_owned(), value))).into()
}
