//! `INFO eddyline`: what an operator looks at first. From counters alone: it opens no key and waits for nobody.

use crate::counters::{self, Counter};
use crate::ffi::config;
use crate::ffi::info::Fields;
use crate::registry::{Registry, Totals};
use std::ffi::{CStr, CString};

/// Tells all sections.
pub(crate) fn tell(fields: &mut Fields) {
    let known = Registry::totals();
    let Totals { monitors, bytes, behind, waiting } = known.unwrap_or_default();
    fields.section(c"core");
    fields.text(c"version", &text(env!("CARGO_PKG_VERSION")));
    fields.number(c"monitors", monitors);
    fields.number(c"monitors_bytes_at_most", bytes);
    fields.text(c"cms_commands", &text(config::cms_commands().as_str()));
    fields.text(c"cms_provider", &text(crate::cms::provider()));
    fields.section(c"events");
    tell_all(
        fields,
        &[
            (c"observations", &counters::OBSERVATIONS),
            (c"entries_read", &counters::ENTRIES),
            (c"entries_late", &counters::LATE),
        ],
    );
    fields.number(c"monitors_behind", behind);
    fields.section(c"windows");
    tell_all(
        fields,
        &[
            (c"windows_closed", &counters::WINDOWS_CLOSED),
            (c"windows_dropped", &counters::WINDOWS_DROPPED),
            (c"fingerprints_sent", &counters::SENT),
        ],
    );
    fields.number(c"fingerprints_waiting", waiting);
    fields.section(c"trouble");
    tell_all(
        fields,
        &[
            (c"writes_refused", &counters::REFUSALS),
            (c"creates_over_limit", &counters::LIMITED),
            (c"longest_tick_us", &counters::LONGEST_TICK_US),
        ],
    );
    fields.text(c"last_refusal", &counters::last_refusal().unwrap_or_default());
}

fn tell_all(fields: &mut Fields, counters: &[(&CStr, &Counter)]) {
    for (name, counter) in counters {
        fields.number(name, counter.get());
    }
}

fn text(from: &str) -> CString {
    CString::new(from).unwrap_or_default()
}
