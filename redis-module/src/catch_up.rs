//! Reading sources: the newest entry as it comes, or a backlog in slices.

use crate::counters::{self, noting_a_close};
use crate::ffi::context::string;
use crate::ffi::key::length;
use eddyline_monitor::{EntryId, Extent, Monitor, Reading};
use redis_module::key::RedisKey;
use redis_module::raw::RedisModuleStreamID;
use redis_module::stream::{StreamIterator, StreamRecord};
use redis_module::{Context, KeyType, RedisError};
use std::time::Instant;

/// Entries read between two looks at the time.
const STRIDE: usize = 16;

/// Number of the source `name` in `monitor`.
pub(crate) fn source_number(monitor: &Monitor, name: &[u8]) -> Option<usize> {
    monitor.sources().iter().position(|source| source.name == name)
}

/// Reads one entry of source number `source`.
pub(crate) fn read_entry(monitor: &mut Monitor, source: usize, entry: &StreamRecord) -> Reading {
    let fields = entry.fields.iter().map(|(field, value)| (field.as_slice(), value.as_slice()));
    let reading = noting_a_close(monitor, |monitor| monitor.read(source, id_of(entry), fields));
    counters::ENTRIES.add(u64::from(reading == Reading::Counted));
    reading
}

/// Reads source number `source` from its cursor up to and including `last`, or until `deadline`; then says in the monitor
/// whether all is read. The same on every node, whose copies of the sources are the same at this place in the log.
pub(crate) fn read_up_to(
    ctx: &Context,
    monitor: &mut Monitor,
    source: usize,
    last: EntryId,
    deadline: Option<Instant>,
) {
    if monitor.displaced() {
        monitor.settle(|source| extent(ctx, &source.name, source.cursor).ok().flatten());
    }
    read_entries(ctx, monitor, source, last, deadline);
    let mut following = true;
    for source in 0..monitor.sources().len() {
        match next_unread(ctx, monitor, source) {
            Next::Entry(_) => following = false,
            Next::Nothing => monitor.source_ends(source),
            Next::NoStream => monitor.source_gone(source),
        }
    }
    monitor.set_following(following);
}

fn read_entries(ctx: &Context, monitor: &mut Monitor, source: usize, last: EntryId, deadline: Option<Instant>) {
    let key = ctx.open_key(&string(ctx, &monitor.sources()[source].name));
    let Ok(entries) = after(&key, monitor.sources()[source].cursor) else { return };
    for (i, entry) in entries.enumerate() {
        if id_of(&entry) > last || read_entry(monitor, source, &entry) == Reading::Waits {
            return;
        }
        if i % STRIDE == STRIDE - 1 && deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return;
        }
    }
}

/// What there is of the stream `name` for a cursor; none where there is no such key.
///
/// # Errors
/// The key holds something else; then, what.
pub(crate) fn extent(ctx: &Context, name: &[u8], cursor: EntryId) -> Result<Option<Extent>, KeyType> {
    match ctx.open_key(&string(ctx, name)) {
        key if key.is_null() => return Ok(None),
        key if key.key_type() != KeyType::Stream => return Err(key.key_type()),
        _ => {}
    }
    // an open key takes one iterator, the crate's never stops
    let outer = |newest: bool| {
        let key = ctx.open_key(&string(ctx, name));
        let entry = key.get_stream_iterator(newest).ok().and_then(|mut entries| entries.next());
        entry.map(|entry| id_of(&entry)).unwrap_or_default()
    };
    let holds = |id: EntryId| {
        let key = ctx.open_key(&string(ctx, name));
        let at = Some(RedisModuleStreamID { ms: id.ms, seq: id.seq });
        key.get_stream_range_iterator(at, at, false, false).is_ok_and(|mut entries| entries.next().is_some())
    };
    let (length, first, newest) = (length(ctx, name), outer(false), outer(true));
    Ok(Some(Extent { length, first, newest, holds_cursor: holds(cursor) }))
}

/// The source whose next unread entry is the oldest, and the id up to which it can be read before another one's turn.
pub(crate) fn next_source(ctx: &Context, monitor: &Monitor) -> Option<(usize, EntryId)> {
    let mut unread: Vec<(EntryId, usize)> = (0..monitor.sources().len())
        .filter_map(|source| match next_unread(ctx, monitor, source) {
            Next::Entry(id) => Some((id, source)),
            Next::Nothing | Next::NoStream => None,
        })
        .collect();
    unread.sort_unstable();
    let (first, source) = *unread.first()?;
    let until = unread.get(1).map_or(EntryId { ms: u64::MAX, seq: u64::MAX }, |(id, _)| before(*id));
    Some((source, until.max(first)))
}

/// What comes behind a cursor.
enum Next {
    Entry(EntryId),
    Nothing,
    NoStream,
}

fn next_unread(ctx: &Context, monitor: &Monitor, source: usize) -> Next {
    let source = &monitor.sources()[source];
    let key = ctx.open_key(&string(ctx, &source.name));
    match after(&key, source.cursor).map(|mut entries| entries.next()) {
        Ok(Some(entry)) => Next::Entry(id_of(&entry)),
        Ok(None) => Next::Nothing,
        Err(_) => Next::NoStream,
    }
}

/// The entries of a stream after `cursor`.
fn after(stream: &RedisKey, cursor: EntryId) -> Result<StreamIterator<'_>, RedisError> {
    stream.get_stream_range_iterator(Some(RedisModuleStreamID { ms: cursor.ms, seq: cursor.seq }), None, true, false)
}

pub(crate) fn id_of(entry: &StreamRecord) -> EntryId {
    EntryId { ms: entry.id.ms, seq: entry.id.seq }
}

fn before(id: EntryId) -> EntryId {
    match (id.ms, id.seq) {
        (0, 0) => id,
        (ms, 0) => EntryId { ms: ms - 1, seq: u64::MAX },
        (ms, seq) => EntryId { ms, seq: seq - 1 },
    }
}
