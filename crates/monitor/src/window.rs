//! The open window: every observation is counted here, and a closed window is made from it.

use crate::closed::{Closed, MAX_TOP_ITEMS, TopItem};
use crate::fields::Fields;
use crate::histogram::Histogram;
use crate::items::{Items, Summary};
use crate::last::LastWindow;
use crate::measure::{MeasureState, number};
use crate::tally::{LeftOut, Reason};
use crate::values::Values;
use eddyline_sketch::Distinct;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Bytes of items and their numbers as text after which no more are added.
const TOP_TEXT: usize = 1024;
/// What an item's count, bucket and punctuation take as text, about.
const TOP_OVERHEAD: usize = 12;
/// Longest part of an item that is told.
const TOP_ITEM: usize = 96;
/// More fields than a definition can name, and as many as most do.
const MOST_NAMES: usize = 96;
const FEW_NAMES: usize = 8;

/// The sketches of the open window and of the time before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Window {
    pub fields: Fields,
    n: u64,
    closed: u64,
    items: Vec<Items>,
    measures: Vec<MeasureState>,
    uniques: Vec<Distinct>,
    histograms: Vec<Histogram>,
    /// Stands apart in the encoding, which didn't have it at first.
    #[serde(skip)]
    pub last: LastWindow,
    /// Room for a joint item, empty between observations.
    #[serde(skip)]
    joint: Vec<u8>,
}

impl Window {
    pub(crate) fn new(fields: Fields) -> Self {
        Self {
            n: 0,
            closed: 0,
            items: fields.joints.iter().map(|_| Items::new(fields.width)).collect(),
            measures: fields.measures.iter().map(|_| MeasureState::new()).collect(),
            uniques: fields.uniques.iter().map(|_| Fields::unique_sketch()).collect(),
            histograms: fields.crosses.iter().map(|_| Histogram::new()).collect(),
            last: LastWindow::new(&fields),
            joint: Vec::new(),
            fields,
        }
    }

    /// Observations in the open window.
    pub(crate) fn n(&self) -> u64 {
        self.n
    }

    /// Counts one observation for what it has; what it lacks goes to `left_out`.
    pub(crate) fn observe<'a>(
        &mut self,
        observation: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        left_out: &mut LeftOut,
    ) {
        // most definitions name few fields: room for all that could be would be cleared for each observation
        match self.fields.names.len() {
            0..=FEW_NAMES => self.count(Values::<FEW_NAMES>::read(&self.fields.names, observation), left_out),
            _ => self.count(Values::<MOST_NAMES>::read(&self.fields.names, observation), left_out),
        }
    }

    /// Counts observations that all have the fields `columns`: those are looked up once.
    pub(crate) fn observe_rows<'a>(
        &mut self,
        columns: &[&[u8]],
        rows: impl Iterator<Item = &'a [&'a [u8]]>,
        left_out: &mut LeftOut,
    ) {
        let names = &self.fields.names;
        let columns: Vec<Option<usize>> =
            columns.iter().map(|column| names.iter().position(|name| name.as_bytes() == *column)).collect();
        for row in rows {
            let numbered = columns.iter().zip(row).filter_map(|(at, value)| Some(((*at)?, *value)));
            match self.fields.names.len() {
                0..=FEW_NAMES => self.count(Values::<FEW_NAMES>::of(numbered), left_out),
                _ => self.count(Values::<MOST_NAMES>::of(numbered), left_out),
            }
        }
    }

    fn count<const NAMES: usize>(&mut self, mut values: Values<'_, NAMES>, left_out: &mut LeftOut) {
        if values.is_empty() {
            left_out.skipped = left_out.skipped.saturating_add(1);
            return;
        }
        self.n = self.n.saturating_add(1);
        values.leave_out(self.fields.names.len(), left_out);
        let mut joint = std::mem::take(&mut self.joint);
        for (items, dimension) in self.items.iter_mut().zip(&self.fields.joints) {
            if let Some((item, hash)) = values.item(&dimension.parts, &mut joint) {
                items.add(item, hash);
            }
        }
        let mut numbers = [None; NAMES];
        let measured = self.fields.measures.iter().chain(self.fields.crosses.iter().map(|cross| &cross.measure));
        for at in measured.map(|&at| usize::from(at)) {
            if let (Some(value), None) = (values.get(at), numbers[at]) {
                numbers[at] = number(value);
                if numbers[at].is_none() {
                    left_out.field(at, Reason::Unreadable);
                    values.drop(at);
                }
            }
        }
        for (measure, &at) in self.measures.iter_mut().zip(&self.fields.measures) {
            if let Some(value) = numbers[usize::from(at)] {
                measure.add(value);
            }
        }
        for (unique, &at) in self.uniques.iter_mut().zip(&self.fields.uniques) {
            if let Some(hash) = values.hash(usize::from(at)) {
                unique.add(hash);
            }
        }
        for (histogram, cross) in self.histograms.iter_mut().zip(&self.fields.crosses) {
            if let (Some(value), Some((item, hash))) =
                (numbers[usize::from(cross.measure)], values.item(&cross.group.parts, &mut joint))
            {
                histogram.add(item, hash, value, &cross.edges);
            }
        }
        self.joint = joint;
    }

    /// Closes the window that ends at `end_ms`.
    pub(crate) fn close(&mut self, end_ms: u64) -> Closed {
        let summaries = self.summaries();
        let (values, top) = (self.values(&summaries), self.top(&summaries).into());
        let closed = Closed { end_ms, n: self.n, values, gap_ms: 0, partial: false, top };
        self.n = 0;
        self.closed = self.closed.wrapping_add(1);
        self.items.iter_mut().zip(&mut self.last.items).for_each(|(items, last)| items.close(last));
        self.measures.iter_mut().zip(&mut self.last.measures).for_each(|(measure, last)| measure.close(last));
        self.uniques.iter_mut().for_each(Distinct::clear);
        self.histograms.iter_mut().for_each(Histogram::close);
        closed
    }

    /// `count` windows pass in which nothing is counted; the first of them ends at `end_ms`.
    pub(crate) fn pass_empty(&mut self, count: u64, end_ms: u64) -> Closed {
        for items in &mut self.items {
            items.pass_empty(count as u32);
        }
        self.last.clear();
        self.closed = self.closed.wrapping_add(count);
        let values = self.values(&self.summaries());
        Closed { end_ms, n: 0, values, gap_ms: 0, partial: false, top: Arc::default() }
    }

    /// The sketches of each dimension and cross without a measure.
    pub(crate) fn items(&self) -> &[Items] {
        &self.items
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.items.iter().map(Items::bytes).sum::<usize>()
            + self.measures.iter().map(MeasureState::bytes).sum::<usize>()
            + self.uniques.iter().map(Distinct::bytes).sum::<usize>()
            + self.histograms.iter().map(Histogram::bytes).sum::<usize>()
            + self.last.bytes()
    }

    /// Whether a dump's window has the sizes that its fields give.
    pub(crate) fn is_sane(&self) -> bool {
        let fields = &self.fields;
        let unique_bytes = Fields::unique_sketch().bytes();
        self.items.len() == fields.joints.len()
            && self.measures.len() == fields.measures.len()
            && self.uniques.len() == fields.uniques.len()
            && self.histograms.len() == fields.crosses.len()
            && self.items.iter().all(|items| items.has_shape(fields.width))
            && self.uniques.iter().all(|unique| unique.bytes() == unique_bytes)
            && self.histograms.iter().all(Histogram::has_shape)
            && self.last.is_sane(fields)
    }

    fn summaries(&self) -> Vec<Summary> {
        self.items.iter().zip(&self.last.items).map(|(items, last)| items.summary(last)).collect()
    }

    fn values(&self, summaries: &[Summary]) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.fields.features());
        values.push(self.n as f32);
        for summary in summaries {
            values.extend([summary.distinct, summary.new, summary.entropy, summary.burst]);
        }
        values.extend(self.measures.iter().flat_map(MeasureState::summary));
        values.extend(self.uniques.iter().map(|unique| unique.estimate() as f32));
        for items in &self.items {
            items.fold(self.fields.buckets, &mut values);
        }
        for histogram in &self.histograms {
            histogram.append(&mut values);
        }
        values
    }

    /// One item of each block in turn, until they fill what a fingerprint may tell.
    fn top(&self, summaries: &[Summary]) -> Vec<TopItem> {
        type Candidates<'a> = Box<dyn Iterator<Item = (&'a [u8], u64, u32)> + 'a>;
        let counts = self
            .items
            .iter()
            .zip(summaries)
            .map(|(items, summary)| Box::new(items.top(summary.startling, self.fields.buckets)) as Candidates<'_>);
        let rows = self.histograms.iter().map(|histogram| Box::new(histogram.top(self.closed)) as Candidates<'_>);
        let mut blocks: Vec<_> = counts.chain(rows).enumerate().collect();
        let (mut top, mut text) = (Vec::new(), 0);
        while !blocks.is_empty() {
            let mut dry = Vec::new();
            for (number, candidates) in &mut blocks {
                let Some((item, count, bucket)) = candidates.next() else {
                    dry.push(*number);
                    continue;
                };
                let item = &item[..item.len().min(TOP_ITEM)];
                text += item.len() + TOP_OVERHEAD;
                if text > TOP_TEXT || top.len() == MAX_TOP_ITEMS {
                    return top;
                }
                // block 0 is the numeric one
                top.push(TopItem { block: *number as u16 + 1, item: item.to_vec(), count, bucket });
            }
            blocks.retain(|(number, _)| !dry.contains(number));
        }
        top
    }
}
