//! Faults on demand, for tests of what stands in: only in debug builds, by `EDDYLINE_FAULT="panic FROM TO"` or `"slow FROM
//! TO"`, for windows that end in that span (ms since the epoch), while full detection is in charge.

use eddyline_wire::command::EntryId;

/// Breaks, if this window is one to break at.
#[cfg(not(debug_assertions))]
pub(super) fn strike(_: EntryId) {}

/// Breaks, if this window is one to break at.
#[cfg(debug_assertions)]
pub(super) fn strike(window: EntryId) {
    use std::sync::OnceLock;
    static FAULT: OnceLock<Option<(String, u64, u64)>> = OnceLock::new();
    let fault = FAULT.get_or_init(|| {
        let text = std::env::var("EDDYLINE_FAULT").ok()?;
        let mut words = text.split(' ');
        let (kind, from, to) = (words.next()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((kind.to_owned(), from, to))
    });
    match fault {
        Some((kind, from, to)) if (*from..=*to).contains(&window.ms) => match kind.as_str() {
            "panic" => panic!("a fault on demand"),
            _ => std::thread::sleep(super::grade::TOO_LONG),
        },
        _ => {}
    }
}
