//! The day in slots, and the places between them.

use crate::zone::LocalTime;
use serde::{Deserialize, Serialize};

/// Most slots of a day: half hours.
const SLOTS: usize = 48;
const DAY_MS: u64 = 86_400_000;

/// A place of the day between the centres of two slots of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Slot that it lies in.
    pub inside: u16,
    /// Slots between whose centres it lies, and how far towards the second.
    pub between: [u16; 2],
    pub towards: f32,
    /// 0 is Monday.
    pub weekday: u8,
}

impl Place {
    /// The place of a time in a day of so many slots.
    pub(crate) fn of(time: LocalTime, slots: usize) -> Self {
        let position = f64::from(time.ms) / DAY_MS as f64 * slots as f64;
        let inside = (position as usize).min(slots - 1);
        let from = (position - 0.5).rem_euclid(slots as f64);
        let before = (from as usize).min(slots - 1);
        Self {
            inside: inside as u16,
            between: [before as u16, ((before + 1) % slots) as u16],
            towards: (from - before as f64) as f32,
            weekday: time.weekday() as u8,
        }
    }

    pub(crate) fn is_consistent(&self, slots: usize) -> bool {
        self.between.iter().chain([&self.inside]).all(|slot| usize::from(*slot) < slots)
            && (0.0..=1.0).contains(&self.towards)
            && self.weekday < 7
    }
}

/// How many windows of some length make a day, and how many slots.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grid {
    /// Windows of a day.
    pub windows: f32,
    /// Slots of a day: none is shorter than a window.
    pub slots: usize,
}

impl Grid {
    pub(crate) fn of(window_ms: u64) -> Self {
        let windows = DAY_MS / window_ms.max(1);
        Self { windows: windows.max(1) as f32, slots: (windows as usize).clamp(1, SLOTS) }
    }

    /// Windows of a slot.
    pub(crate) fn of_slot(self) -> f32 {
        self.windows / self.slots as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: f64, slots: usize) -> Place {
        Place::of(LocalTime { day: 0, ms: (hour * 3_600_000.0) as u32 }, slots)
    }

    #[test]
    fn a_place_lies_between_the_centres_of_two_slots() {
        let noon = at(12.0, 24);
        assert_eq!((noon.inside, noon.between, noon.towards), (12, [11, 12], 0.5));
        let midnight = at(0.0, 24);
        assert_eq!((midnight.inside, midnight.between, midnight.towards), (0, [23, 0], 0.5));
        let late = at(23.75, 24);
        assert_eq!((late.inside, late.between, late.towards), (23, [23, 0], 0.25));
        assert_eq!(midnight.weekday, 3);
    }

    #[test]
    fn no_slot_is_shorter_than_a_window() {
        let slots = |window_ms| Grid::of(window_ms).slots;
        assert_eq!([1_000, 1_800_000, 3_600_000, 50_000_000, 86_400_000].map(slots), [48, 48, 24, 1, 1]);
        for hour in [0.0, 7.3, 23.99] {
            assert!(at(hour, 1).is_consistent(1), "{hour}");
        }
    }
}
