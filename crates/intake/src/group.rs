//! Observations put together: those of one monitor that have the same fields.

use std::collections::BTreeMap;
use std::ops::Range;

/// Most fields of an observation, as `EDDY.MOBSERVE` takes them.
pub const MAX_FIELDS: usize = 64;

/// Bytes one after the other, and where each text of them ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<u32>,
}

impl Texts {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.range(0..self.len())
    }

    /// Those at these places.
    pub fn range(&self, places: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let mut from = places.start.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.ends[places].iter().map(move |end| {
            let text = &self.bytes[from..*end as usize];
            from = *end as usize;
            text
        })
    }

    /// Their length together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// One more.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.end();
    }

    /// Where the next one is written, until its [`end`](Self::end).
    pub(crate) fn writer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was written since the last one is one.
    pub(crate) fn end(&mut self) {
        self.ends.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    pub(crate) fn drop_last(&mut self) {
        self.ends.pop();
        self.bytes.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    pub(crate) fn last(&self) -> &[u8] {
        let [.., from, end] = self.ends[..] else {
            return &self.bytes[..self.ends.first().map_or(0, |end| *end as usize)];
        };
        &self.bytes[from as usize..end as usize]
    }

    /// All of `other`, behind these.
    pub fn append(&mut self, other: &Self) {
        let from = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&other.bytes);
        self.ends.extend(other.ends.iter().map(|end| from.saturating_add(*end)));
    }
}

/// Observations of one monitor that have the same fields, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// The monitor's name.
    pub monitor: String,
    /// The fields of each.
    pub fields: Texts,
    /// Their values, observation after observation.
    pub values: Texts,
    /// Which item of the request each is, from 0.
    pub items: Vec<u32>,
}

/// Groups in the order of their first observation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups {
    groups: Vec<Group>,
    /// By monitor and fields, each with its length before it.
    places: BTreeMap<Vec<u8>, usize>,
    /// Where the last observation went: most often the next one goes there too.
    last: usize,
    key: Vec<u8>,
}

impl Groups {
    /// One more observation; whether it has no field twice. Otherwise it isn't taken.
    pub(crate) fn push(&mut self, monitor: &str, fields: &Texts, values: &Texts, item: u32) -> bool {
        let is_same = |group: &Group| group.fields == *fields && group.monitor == monitor;
        if !self.groups.get(self.last).is_some_and(is_same) {
            self.key.clear();
            for text in std::iter::once(monitor.as_bytes()).chain(fields.iter()) {
                self.key.extend_from_slice(&(text.len() as u64).to_le_bytes());
                self.key.extend_from_slice(text);
            }
            self.last = match self.places.get(&self.key) {
                Some(place) => *place,
                None if has_twice(fields) => return false,
                None => {
                    self.groups.push(Group { monitor: monitor.to_owned(), fields: fields.clone(), ..Group::default() });
                    self.places.insert(self.key.clone(), self.groups.len() - 1);
                    self.groups.len() - 1
                }
            };
        }
        let group = &mut self.groups[self.last];
        group.values.append(values);
        group.items.push(item);
        true
    }

    pub(crate) fn finish(self) -> Vec<Group> {
        self.groups
    }
}

fn has_twice(fields: &Texts) -> bool {
    fields.iter().enumerate().any(|(at, field)| fields.iter().take(at).any(|before| before == field))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(words: &str) -> Texts {
        let mut texts = Texts::default();
        words.split(' ').for_each(|word| texts.push(word.as_bytes()));
        texts
    }

    #[test]
    fn observations_of_the_same_fields_come_together_in_their_order() {
        let mut groups = Groups::default();
        for (item, (monitor, fields, values)) in
            [("a", "x y", "1 2"), ("a", "y x", "3 4"), ("b", "x y", "5 6"), ("a", "x y", "7 8")].into_iter().enumerate()
        {
            assert!(groups.push(monitor, &texts(fields), &texts(values), item as u32));
        }
        assert!(!groups.push("a", &texts("x y x"), &texts("1 2 3"), 4));
        let groups = groups.finish();
        let told: Vec<_> =
            groups.iter().map(|group| (group.monitor.as_str(), &group.values, &group.items[..])).collect();
        assert_eq!(
            told,
            [("a", &texts("1 2 7 8"), &[0, 3][..]), ("a", &texts("3 4"), &[1][..]), ("b", &texts("5 6"), &[2][..])]
        );
    }

    #[test]
    fn names_that_run_into_each_other_are_other_names() {
        let mut groups = Groups::default();
        assert!(
            groups.push("m", &texts("ab c"), &texts("1 2"), 0) && groups.push("m", &texts("a bc"), &texts("3 4"), 1)
        );
        assert!(groups.push("ma", &texts("b c"), &texts("5 6"), 2));
        assert_eq!(groups.finish().len(), 3);
    }
}
