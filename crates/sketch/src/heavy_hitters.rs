use std::cmp::Reverse;

use serde::{Deserialize, Serialize, Serializer};

use crate::{ItemHash, SketchError};

/// Most tracked items: the scan of their tags stays within two cache lines.
const MAX_CAPACITY: usize = 64;
/// Bytes kept of an item; the rest of a longer one is cut off.
const MAX_ITEM: usize = 1024;

/// Places looked at together.
const GROUP: usize = 16;

/// The most frequent items (SpaceSaving: Metwally, Agrawal, El Abbadi 2005).
///
/// Every item added more often than `total / capacity` is tracked; a count is never too low and at most its
/// `error` too high. Of equal least counts the one in the last place makes room: the outcome depends on nothing but
/// the calls.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct HeavyHitters {
    capacity: u8,
    /// `counts` and `kept` run parallel.
    hashes: Vec<ItemHash>,
    counts: Vec<u64>,
    /// Longer than the others after [`clear`](Self::clear): the next items take the old ones' room.
    kept: Vec<Kept>,
    memory: Memory,
}

impl PartialEq for HeavyHitters {
    fn eq(&self, other: &Self) -> bool {
        self.capacity == other.capacity && self.iter().eq(other.iter())
    }
}

impl Eq for HeavyHitters {}

#[derive(Serialize)]
struct Borrowed<'a> {
    capacity: u8,
    hashes: &'a [ItemHash],
    counts: &'a [u64],
    kept: &'a [Kept],
}

impl Serialize for HeavyHitters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { capacity, hashes, counts, kept, .. } = self;
        Borrowed { capacity: *capacity, hashes, counts, kept: &kept[..hashes.len()] }.serialize(serializer)
    }
}

/// What is known of the places without looking at them all; follows from them, so it is no part of the outcome.
#[derive(Clone, Copy, Debug)]
struct Memory {
    /// A part of each place's hash.
    tags: [u16; MAX_CAPACITY],
    /// No place counts less than this: counts only grow.
    least: u64,
    /// No place behind this one counts as little.
    last_least: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self { tags: [0; MAX_CAPACITY], least: 0, last_least: 0 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    error: u64,
    item: Vec<u8>,
}

/// One tracked item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hitter<'a> {
    /// Its bytes, at most the first 1024.
    pub item: &'a [u8],
    /// The hash it was added with.
    pub hash: ItemHash,
    /// Upper bound of its count.
    pub count: u64,
    /// `count - error` is the lower bound.
    pub error: u64,
}

impl HeavyHitters {
    /// An empty sketch that tracks `capacity` items (1 to 64).
    pub fn new(capacity: usize) -> Result<Self, SketchError> {
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(SketchError::OutOfRange { what: "capacity", allowed: "1 to 64" });
        }
        Ok(Self {
            capacity: capacity as u8,
            hashes: Vec::with_capacity(capacity),
            counts: Vec::with_capacity(capacity),
            kept: Vec::with_capacity(capacity),
            memory: Memory::default(),
        })
    }

    /// Adds `n` to the item with this hash; true if it was tracked already. `n` of 0 changes nothing.
    #[inline]
    pub fn add(&mut self, item: &[u8], hash: ItemHash, n: u32) -> bool {
        let item = &item[..item.len().min(MAX_ITEM)];
        if let Some(at) = self.find(item, hash) {
            self.counts[at] = self.counts[at].saturating_add(u64::from(n));
            return true;
        }
        if n > 0 {
            self.track(item, hash, u64::from(n));
        }
        false
    }

    /// Place of a tracked item. The tags of a group are compared without a branch, which the compiler vectorises.
    #[inline]
    fn find(&self, item: &[u8], hash: ItemHash) -> Option<usize> {
        let tracked = self.hashes.len();
        let tag = tag(hash);
        for (group, tags) in self.memory.tags.as_chunks::<GROUP>().0.iter().enumerate() {
            let first = group * GROUP;
            if first >= tracked {
                break;
            }
            if tags.iter().fold(false, |hit, &known| hit | (known == tag)) {
                let is_at = |at: &usize| self.hashes[*at] == hash && self.kept[*at].item == item;
                let found = (first..tracked.min(first + GROUP)).find(is_at);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Takes a free place, or that of the least count, whose count becomes the newcomer's error.
    fn track(&mut self, item: &[u8], hash: ItemHash, n: u64) {
        if self.hashes.len() < usize::from(self.capacity) {
            self.memory.tags[self.hashes.len()] = tag(hash);
            self.hashes.push(hash);
            self.counts.push(n);
            let at = self.hashes.len() - 1;
            if at == self.kept.len() {
                self.kept.push(Kept { error: 0, item: Vec::with_capacity(item.len()) });
            }
            self.keep(at, item, 0);
            return;
        }
        let (at, least) = self.least_place();
        self.memory.tags[at] = tag(hash);
        self.hashes[at] = hash;
        self.counts[at] = least.saturating_add(n);
        self.keep(at, item, least);
    }

    fn keep(&mut self, at: usize, item: &[u8], error: u64) {
        let kept = &mut self.kept[at];
        kept.error = error;
        kept.item.clear();
        kept.item.extend_from_slice(item);
    }

    /// The last place of the least count, and that count. Newcomers take such places one after the other, from the last
    /// to the first, so all counts are looked at only once a turn.
    fn least_place(&mut self) -> (usize, u64) {
        let Memory { mut least, last_least, .. } = self.memory;
        let found = self.counts[..=last_least].iter().rposition(|&count| count == least);
        let at = found.unwrap_or_else(|| {
            least = self.counts.iter().copied().fold(u64::MAX, u64::min);
            self.counts.iter().rposition(|&count| count == least).unwrap_or_default()
        });
        self.memory.least = least;
        self.memory.last_least = at;
        (at, least)
    }

    /// The `k` items of the largest counts, largest first, equal counts in the order of their bytes.
    pub fn top(&self, k: usize) -> Vec<Hitter<'_>> {
        let mut top: Vec<_> = self.iter().collect();
        top.sort_unstable_by_key(|hitter| (Reverse(hitter.count), hitter.item, hitter.hash));
        top.truncate(k);
        top
    }

    /// All tracked items, in no useful order.
    pub fn iter(&self) -> impl Iterator<Item = Hitter<'_>> {
        let counted = self.hashes.iter().zip(&self.counts).zip(&self.kept);
        counted.map(|((&hash, &count), kept)| Hitter { item: &kept.item, hash, count, error: kept.error })
    }

    /// Back to empty; the memory is kept.
    pub fn clear(&mut self) {
        self.hashes.clear();
        self.counts.clear();
        self.memory = Memory::default();
    }

    /// Most items tracked.
    pub fn capacity(&self) -> usize {
        usize::from(self.capacity)
    }

    /// Memory held now, in bytes: grows with the items' lengths up to [`bytes_at_most`](Self::bytes_at_most).
    pub fn bytes(&self) -> usize {
        let items: usize = self.kept.iter().map(|kept| kept.item.len()).sum();
        size_of::<Self>() + self.capacity() * PLACE + items
    }

    /// Memory of a sketch of this capacity whose items are at most `item` bytes long.
    pub fn bytes_at_most(capacity: usize, item: usize) -> usize {
        size_of::<Self>() + capacity * (PLACE + item.min(MAX_ITEM))
    }
}

/// Bits of a hash that tell most places apart.
fn tag(hash: ItemHash) -> u16 {
    (hash.to_bits() >> 48) as u16
}

/// Bytes of a place, its item's bytes apart.
const PLACE: usize = size_of::<ItemHash>() + size_of::<u64>() + size_of::<Kept>();

#[derive(Deserialize)]
struct Unchecked {
    capacity: u8,
    hashes: Vec<ItemHash>,
    counts: Vec<u64>,
    kept: Vec<Kept>,
}

impl TryFrom<Unchecked> for HeavyHitters {
    type Error = SketchError;

    fn try_from(raw: Unchecked) -> Result<Self, SketchError> {
        let mut checked = Self::new(usize::from(raw.capacity))?;
        let tracked = raw.hashes.len();
        if tracked > checked.capacity() || raw.counts.len() != tracked || raw.kept.len() != tracked {
            return Err(SketchError::Corrupt("tracked items don't fit the capacity"));
        }
        for (kept, &count) in raw.kept.iter().zip(&raw.counts) {
            if kept.item.len() > MAX_ITEM {
                return Err(SketchError::Corrupt("tracked item longer than 1024 bytes"));
            }
            if kept.error >= count {
                return Err(SketchError::Corrupt("error of a tracked item reaches its count"));
            }
        }
        let twice = |at: usize| {
            let same = |earlier: &usize| {
                raw.hashes[*earlier] == raw.hashes[at] && raw.kept[*earlier].item == raw.kept[at].item
            };
            (0..at).any(|earlier| same(&earlier))
        };
        if (0..tracked).any(twice) {
            return Err(SketchError::Corrupt("item tracked twice"));
        }
        for (known, hash) in checked.memory.tags.iter_mut().zip(&raw.hashes) {
            *known = tag(*hash);
        }
        checked.hashes.extend(raw.hashes);
        checked.counts.extend(raw.counts);
        checked.kept.extend(raw.kept);
        Ok(checked)
    }
}
