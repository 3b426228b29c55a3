//! One observation's values by the numbers of their fields.

use crate::items::MAX_ITEM;
use crate::tally::{LeftOut, Reason};
use eddyline_sketch::ItemHash;

/// Joins the parts of a joint item.
pub(crate) const JOINT: u8 = b'*';

/// The values, each hashed at most once; room for `NAMES` fields.
pub(crate) struct Values<'a, const NAMES: usize> {
    values: [Option<&'a [u8]>; NAMES],
    hashes: [Option<ItemHash>; NAMES],
    known: usize,
}

impl<'a, const NAMES: usize> Values<'a, NAMES> {
    /// The first value that isn't empty of each field in `names`.
    #[inline]
    pub(crate) fn read(names: &[String], observation: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        let mut next = 0;
        Self::of(observation.filter_map(|(field, value)| {
            // whoever sends observations sends their fields in one order, often that of the definition
            let is_it = |at: &usize| names[*at].as_bytes() == field;
            let at = (next..names.len()).find(is_it).or_else(|| (0..next).find(is_it))?;
            next = at + 1;
            Some((at, value))
        }))
    }

    /// The first value that isn't empty of each field, by its number.
    #[inline]
    pub(crate) fn of(numbered: impl Iterator<Item = (usize, &'a [u8])>) -> Self {
        let mut values = Self { values: [None; NAMES], hashes: [None; NAMES], known: 0 };
        for (at, value) in numbered {
            if values.values[at].is_none() && !value.is_empty() {
                values.values[at] = Some(value);
                values.known += 1;
            }
        }
        values
    }

    /// Whether no field has a value.
    pub(crate) fn is_empty(&self) -> bool {
        self.known == 0
    }

    /// Leaves out what is too long; this and what is absent among the first `names` fields is counted in `left_out`.
    pub(crate) fn leave_out(&mut self, names: usize, left_out: &mut LeftOut) {
        for (at, value) in self.values.iter_mut().enumerate().take(names) {
            if value.is_none() {
                left_out.field(at, Reason::Absent);
            } else if value.take_if(|value| value.len() > MAX_ITEM).is_some() {
                left_out.field(at, Reason::TooLong);
            }
        }
    }

    /// The value of field number `at`.
    pub(crate) fn get(&self, at: usize) -> Option<&'a [u8]> {
        self.values[at]
    }

    /// Forgets the value of field number `at`.
    pub(crate) fn drop(&mut self, at: usize) {
        self.values[at] = None;
    }

    /// The hash of the value of field number `at`.
    pub(crate) fn hash(&mut self, at: usize) -> Option<ItemHash> {
        let value = self.values[at]?;
        Some(*self.hashes[at].get_or_insert_with(|| ItemHash::of(value)))
    }

    /// The item that the fields `parts` make, and its hash; none where a part is absent. An item of several parts is put
    /// together in `joint`.
    pub(crate) fn item<'v>(&mut self, parts: &[u16], joint: &'v mut Vec<u8>) -> Option<(&'v [u8], ItemHash)>
    where
        'a: 'v,
    {
        if let [only] = *parts {
            let only = usize::from(only);
            return Some((self.values[only]?, self.hash(only)?));
        }
        joint.clear();
        for (i, &part) in parts.iter().enumerate() {
            if i > 0 {
                joint.push(JOINT);
            }
            joint.extend_from_slice(self.values[usize::from(part)]?);
        }
        joint.truncate(MAX_ITEM);
        Some((joint, ItemHash::of(joint)))
    }
}
