//! What happens to sources and monitors by other people's commands. Runs alike on every node and never writes.

use crate::ffi::context::selected;
use crate::ffi::events::KeyEvent;
use crate::ffi::key::with_monitor;
use crate::registry::{Registry, forget_missing};
use crate::{catch_up, ffi, tick, translate};
use eddyline_monitor::{EntryId, Monitor};
use redis_module::stream::StreamRecord;
use redis_module::{CallOptionsBuilder, CallReply, CallResult, Context};

/// Hears one event of the selected database.
pub(crate) fn on_event(ctx: &Context, event: KeyEvent, key: &[u8]) {
    let db = selected(ctx);
    match event {
        KeyEvent::Added => on_entry(ctx, db, key),
        KeyEvent::Rewound => {
            if let Some(last) = last_generated(ctx, key) {
                each_watcher(ctx, db, key, |monitor, source| monitor.source_rewound(source, last));
            }
        }
        KeyEvent::Gone => {
            Registry::lock().remove(db, key);
            each_watcher(ctx, db, key, Monitor::source_gone);
        }
        KeyEvent::Appeared => {
            let monitor = with_monitor(ctx, key, false, |monitor| {
                monitor.displace();
                Registry::lock().put(db, key, monitor);
            });
            let watched = each_watcher(ctx, db, key, |monitor, source| {
                appeared(ctx, key, monitor, source);
                monitor.set_following(false);
            });
            if monitor.is_ok() {
                tick::soon_anew(ctx, key);
            }
            for watcher in watched {
                tick::soon(ctx, &watcher);
            }
        }
    }
}

/// Something came under the name `key` of source number `source`. Where that was another source of the monitor, its entries
/// are known already.
fn appeared(ctx: &Context, key: &[u8], monitor: &mut Monitor, source: usize) {
    let at = |cursor: EntryId| catch_up::extent(ctx, key, cursor).ok().flatten();
    let Some(extent) = at(monitor.sources()[source].cursor) else { return monitor.source_gone(source) };
    monitor.source_appeared(source, &extent);
    if extent.holds_cursor {
        return;
    }
    let cursors = monitor.sources().iter().map(|other| other.cursor);
    let read = cursors.filter_map(|cursor| Some((cursor, at(cursor).filter(|extent| extent.holds_cursor)?)));
    if let Some((cursor, extent)) = read.max_by_key(|(cursor, _)| *cursor) {
        monitor.set_cursor(source, cursor, &extent);
    }
}

/// A stream got an entry: the monitors that have read all before it read it now.
fn on_entry(ctx: &Context, db: i32, key: &[u8]) {
    let watchers = Registry::lock().watchers(db, key);
    if watchers.is_empty() {
        return;
    }
    let stream = ctx.open_key(&ffi::context::string(ctx, key));
    let Ok(mut newest_first) = stream.get_stream_iterator(true) else { return };
    let Some(entry) = newest_first.next() else { return };
    if stands_for_an_empty_stream(&entry) {
        return;
    }
    for watcher in watchers {
        let read = with_monitor(ctx, &watcher, false, |monitor| {
            if let Some(source) = catch_up::source_number(monitor, key) {
                monitor.source_grew(source, catch_up::id_of(&entry));
                if monitor.following() {
                    catch_up::read_entry(monitor, source, &entry);
                }
            }
            monitor.waiting() > 0 || !monitor.following()
        });
        if forget_missing(db, &watcher, read) == Some(true) {
            tick::soon(ctx, &watcher);
        }
    }
}

/// An append-only file says with this entry, which it trims at once, that a stream is there without any.
fn stands_for_an_empty_stream(entry: &StreamRecord) -> bool {
    (entry.id.ms, entry.id.seq) == (0, 1)
        && matches!(&entry.fields[..], [(field, value)] if field.as_slice() == b"x" && value.as_slice() == b"y")
}

/// The last id that a stream gave out, which an entry deleted since may have had.
fn last_generated(ctx: &Context, stream: &[u8]) -> Option<EntryId> {
    let read = CallOptionsBuilder::new().errors_as_replies().build();
    let reply: CallResult<'_> = ctx.call_ext("XINFO", &read, &[b"STREAM", stream][..]);
    let Ok(CallReply::Array(facts)) = reply else { return None };
    let mut facts = facts.iter();
    while let (Some(name), Some(value)) = (facts.next(), facts.next()) {
        if let (Ok(CallReply::String(name)), Ok(CallReply::String(id))) = (name, value)
            && name.to_string().as_deref() == Some("last-generated-id")
        {
            let id = eddyline_wire::command::EntryId::parse(id.as_bytes())?;
            return Some(translate::entry_id(id));
        }
    }
    None
}

/// Calls `f` for every monitor that reads `source`; says which.
fn each_watcher(ctx: &Context, db: i32, source: &[u8], f: impl Fn(&mut Monitor, usize)) -> Vec<Vec<u8>> {
    let watchers = Registry::lock().watchers(db, source);
    for watcher in &watchers {
        let seen = with_monitor(ctx, watcher, false, |monitor| {
            if let Some(number) = catch_up::source_number(monitor, source) {
                f(monitor, number);
            }
        });
        forget_missing(db, watcher, seen);
    }
    watchers
}
