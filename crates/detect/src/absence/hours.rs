//! Hours in which nothing usually happens: the night of a shop that closes, the weekend of an office.

use crate::zone::LocalTime;
use serde::{Deserialize, Serialize};

const SLOTS: usize = 24;
const HOUR_MS: u32 = 3_600_000;
/// Days that must be known of an hour.
const DAYS: f32 = 2.0;
/// How fast the days before are forgotten.
const RATE: f32 = 0.25;
/// Share of empty windows that makes an hour a quiet one.
const QUIET: f32 = 0.5;

/// How empty each hour of a weekday and of a weekend's day usually is, whatever people were told of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Hours {
    /// Hours of weekdays, then of weekends.
    usual: [[Hour; SLOTS]; 2],
    /// Windows of this day's hours, and the empty ones among them.
    today: [(u32, u32); SLOTS],
    day: Option<i64>,
    is_weekend: bool,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Hour {
    days: f32,
    empty: f32,
}

impl Hours {
    /// Takes a window in; whether its hour is one that is usually empty.
    pub(crate) fn is_quiet(&mut self, is_empty: bool, time: LocalTime) -> bool {
        if self.day.is_some_and(|day| day != time.day) {
            self.end_day();
        }
        (self.day, self.is_weekend) = (Some(time.day), time.weekday() >= 5);
        let slot = ((time.ms / HOUR_MS) as usize).min(SLOTS - 1);
        let (windows, empty) = &mut self.today[slot];
        *windows = windows.saturating_add(1);
        *empty = empty.saturating_add(u32::from(is_empty));
        let [weekday, weekend] = self.usual.map(|hours| hours[slot]);
        // A weekend's night is supposed to be as a weekday's.
        let hour = if self.is_weekend && weekend.days >= DAYS { weekend } else { weekday };
        hour.days >= DAYS && hour.empty >= QUIET
    }

    fn end_day(&mut self) {
        let hours = &mut self.usual[usize::from(self.is_weekend)];
        for (hour, (windows, empty)) in hours.iter_mut().zip(&mut self.today).filter(|(_, (windows, _))| *windows > 0) {
            hour.days = (hour.days + 1.0).min(1.0 / RATE);
            hour.empty += (*empty as f32 / *windows as f32 - hour.empty) / hour.days;
            (*windows, *empty) = (0, 0);
        }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        let sound = |hour: &Hour| (0.0..=1.0 / RATE).contains(&hour.days) && (0.0..=1.0).contains(&hour.empty);
        self.usual.iter().flatten().all(sound) && self.today.iter().all(|(windows, empty)| empty <= windows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether 3:20 of the day after `days` is quiet, when nights were empty until 6:00 on weekdays only.
    fn is_quiet_after(days: i64) -> bool {
        let mut hours = Hours::default();
        let mut quiet = |day: i64, minute: u32| {
            let time = LocalTime { day, ms: minute * 60_000 };
            hours.is_quiet(minute < 360 && time.weekday() < 5, time)
        };
        // 5 January 1970 was a Monday.
        (4..4 + days).for_each(|day| (0..1_440).for_each(|minute| _ = quiet(day, minute)));
        assert!(!quiet(4 + days, 720));
        quiet(4 + days + 1, 200)
    }

    #[test]
    fn an_hour_is_quiet_after_two_such_days_of_its_kind() {
        // The first Sunday's night is taken for a weekday's, the second's is known.
        assert_eq!([0, 1, 2, 3, 5, 12].map(is_quiet_after), [false, false, true, true, true, false]);
    }
}
