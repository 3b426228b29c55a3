//! What happens to the streams behind a monitor's cursors. Nothing that can be read is lost and nothing counted twice; what
//! can't be read is counted as trimmed.

use crate::monitor::Monitor;
use crate::source::{EntryId, Extent, Source};

impl Monitor {
    /// The monitor came under this key from elsewhere: before it reads on, its cursors must be held against its sources.
    pub fn displace(&mut self) {
        self.displaced = !self.sources.is_empty();
        self.following = !self.displaced;
    }

    /// Whether [`displace`](Self::displace) was called and [`settle`](Self::settle) wasn't.
    #[must_use]
    pub fn displaced(&self) -> bool {
        self.displaced
    }

    /// Holds every cursor against what there is of its stream (none: no such stream), and starts over where the newest entry
    /// lies below the cursor.
    pub fn settle(&mut self, extent: impl Fn(&Source) -> Option<Extent>) {
        for number in 0..self.sources.len() {
            let source = &mut self.sources[number];
            match extent(source) {
                None => self.source_gone(number),
                Some(extent) if source.stream.gone => self.source_appeared(number, &extent),
                Some(extent) if extent.newest < source.cursor && !extent.holds_cursor => source.start_over(&extent),
                Some(extent) if extent.newest > source.stream.newest => source.measure(&extent),
                Some(_) => {}
            }
        }
        self.displaced = false;
    }

    /// Moves the cursor of source number `source`, forward or back, and takes in what there is of its stream.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn set_cursor(&mut self, source: usize, cursor: EntryId, extent: &Extent) {
        self.sources[source].cursor = cursor;
        self.sources[source].measure(extent);
    }

    /// Entry `id` was added to source number `source`. Where its stream had gone, this is the first one of another, unless
    /// the monitor came from elsewhere, where it may have gone too.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn source_grew(&mut self, source: usize, id: EntryId) {
        let source = &mut self.sources[source];
        match source.stream.gone {
            true if self.displaced => return,
            true => source.start_over(&Extent::EMPTY),
            false => {}
        }
        if id > source.stream.newest {
            source.stream.newest = id;
            if id > source.cursor {
                source.stream.unread = source.stream.unread.map(|unread| unread.saturating_add(1));
            }
        }
    }

    /// There is no longer a stream under the name of source number `source`: what wasn't read of it can't be.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn source_gone(&mut self, source: usize) {
        let stream = &mut self.sources[source].stream;
        // where no entry was ever heard of, a cursor may stand at one that is to come
        if stream.newest != EntryId::default() && !std::mem::replace(&mut stream.gone, true) {
            let lost = stream.unread.unwrap_or_default();
            let trimmed = &mut self.left_out.passed.trimmed;
            *trimmed = trimmed.saturating_add(lost);
        }
    }

    /// A stream came under the name of source number `source` from elsewhere. One that holds the entry that was read last is
    /// the one that was there, so that reading goes on; another one is read from its start.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn source_appeared(&mut self, source: usize, extent: &Extent) {
        self.source_gone(source);
        let source = &mut self.sources[source];
        if !extent.holds_cursor {
            if source.stream.gone {
                source.start_over(extent);
            } else {
                source.measure(extent);
            }
            return;
        }
        let back = source.stream.unread.unwrap_or_default();
        if extent.newest > source.stream.newest {
            source.measure(extent);
        }
        source.stream.gone = false;
        let trimmed = &mut self.left_out.passed.trimmed;
        *trimmed = trimmed.saturating_sub(back);
    }

    /// The next entry of source number `source` may have any id above `last`, even one below the cursor.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn source_rewound(&mut self, source: usize, last: EntryId) {
        let source = &mut self.sources[source];
        // the stream that the cursor stands in may be gone; one ahead of all entries was put there on purpose
        if !source.stream.gone && source.cursor <= source.stream.newest {
            source.cursor = source.cursor.min(last);
            source.stream.newest = source.stream.newest.min(last);
        }
    }

    /// Source number `source` has no entry behind the cursor: those that weren't read were trimmed.
    ///
    /// # Panics
    /// If there is no source of that number.
    pub fn source_ends(&mut self, source: usize) {
        let stream = &mut self.sources[source].stream;
        if !stream.gone {
            let lost = stream.unread.replace(0).unwrap_or_default();
            let trimmed = &mut self.left_out.passed.trimmed;
            *trimmed = trimmed.saturating_add(lost);
        }
    }

    /// For a reader that asks how much there is: `count` entries, all older than `ms`, were trimmed before they could be
    /// read. What they would have counted is unknown: the open window is partial, and time begins anew at `ms`.
    pub fn missed(&mut self, count: u64, ms: u64) {
        let trimmed = &mut self.left_out.passed.trimmed;
        *trimmed = trimmed.saturating_add(count);
        if self.timeline.open().is_some() {
            self.interrupted = true;
            self.close(ms);
        }
    }
}
