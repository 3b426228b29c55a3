//! What hour and weekday say about one feature, and whether that helps.
//!
//! A value is expected to be its slot's mean plus the offset of the day. Slots are stretches of the local day, joined by
//! straight lines. When a day is over, its offset is the median one of its slots, and what is left is mixed into their
//! means, which remember a week. The offset of a day that isn't over follows its values within hours; it is compared with
//! that of the same weekday a week ago, and the kinder of both counts: neither a weekend nor a holiday is an incident for
//! long, and a weekend that was seen once is expected from its first minute.

use crate::numbers::feature::Scale;
use crate::seasons::hours::{Grid, Place};
use serde::{Deserialize, Serialize};

/// Days that a slot remembers.
const DAYS: f32 = 7.0;
/// Part of a day in which the offset follows.
const FOLLOWS: f32 = 0.25;
/// Days over which errors are compared.
const COMPARED: f32 = 2.0;
/// It is used from this part of the error without it on, and no longer from that part on.
const USED: f32 = 0.5;
const UNUSED: f32 = 0.7;
/// Residuals are learned up to so many standard deviations, and so are those of a slot's whole day.
const CLIP: f32 = 4.0;
const CLIP_DAY: f32 = 2.0;
/// Days to compare before it is used, after a day to learn.
const BEFORE_USE: f32 = 0.9;
/// Part of a day in which it comes into use.
const COMES: f32 = 0.5;
/// Windows by which the spread of all the day counts among a slot's own.
const PRIOR: f32 = 10.0;
/// Standard deviation of a normal distribution in units of its mean absolute deviation.
const DEVIATION: f32 = 1.253_314_1;
/// Part of a day over which residuals count as recent.
const RECENT: f32 = 1.0 / 24.0;

/// A stretch of the day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    /// Mean, of so many days.
    mean: f32,
    days: f32,
    /// Mean of the day that isn't over, and its weight.
    today: f32,
    today_weight: f32,
    /// Mean absolute residual.
    error: f32,
    error_weight: f32,
}

/// What is expected of a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outlook {
    /// On the feature's scale.
    pub mean: f32,
    /// Standard deviation, above 0.
    pub deviation: f32,
}

/// A feature's baseline by hour and weekday.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    slots: Vec<Slot>,
    /// Offset of the day.
    today: f32,
    /// Offset of the last day of each name, Monday first.
    weekdays: [[Option<f32>; 2]; 7],
    /// Recent mean residual.
    recent: f32,
    /// What would be expected without slots; none before the first value.
    flat: Option<f32>,
    /// Mean absolute error with slots and without, and their weight.
    errors: [f32; 2],
    errors_weight: f32,
    used: bool,
    /// How far it is used: 0 to 1, so that nothing jumps.
    blend: f32,
    /// Mean of all hours.
    middle: f32,
}

impl Profile {
    pub(crate) fn new(grid: Grid) -> Self {
        Self {
            slots: vec![Slot::default(); grid.slots],
            today: 0.0,
            weekdays: [[None; 2]; 7],
            recent: 0.0,
            flat: None,
            errors: [0.0; 2],
            errors_weight: 0.0,
            used: false,
            blend: 0.0,
            middle: 0.0,
        }
    }

    /// Whether it has shown that it helps.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }

    /// What this hour says, before the day's offset; none where it has not been seen. Of two neighbours of which one was
    /// never seen the other says it alone, so that nothing jumps in the middle of it.
    fn hour(&self, place: Place) -> Option<f32> {
        let [before, after] = place.between.map(|slot| self.slots[usize::from(slot)]);
        match (before.days > 0.0, after.days > 0.0) {
            (true, true) => Some(before.mean + place.towards * (after.mean - before.mean)),
            (true, false) => Some(before.mean),
            (false, true) => Some(after.mean),
            (false, false) => None,
        }
    }

    /// What is expected here of a value, which may choose between the offsets of today and of this weekday.
    pub(crate) fn outlook(&self, place: Place, value: f32, scale: Scale) -> Option<Outlook> {
        let hour = self.hour(place)?;
        let far = |offset: &f32| (value - hour - offset).abs();
        let offset = match self.weekdays[usize::from(place.weekday)][0] {
            Some(known) if far(&known) < far(&self.today) => known,
            None if far(&(self.today + self.recent)) < far(&self.today) => self.today + self.recent,
            _ => self.today,
        };
        let mean = hour + offset;
        let least = scale.least_deviation(f64::from(mean), 0.0) as f32;
        Some(Outlook { mean, deviation: self.deviation(&self.slots[usize::from(place.inside)]).max(least) })
    }

    /// What hour and weekday add to an average value, as far as they are used. A weekday counts once two of its days agree, and
    /// not against a value that is nearer to the other days.
    pub(crate) fn shift(&self, place: Place, value: f32) -> f32 {
        let Some(hour) = self.hour(place).filter(|_| self.blend > 0.0) else { return 0.0 };
        let offset = match self.weekdays[usize::from(place.weekday)] {
            [Some(last), Some(before)] if last * before > 0.0 => {
                if last.abs() < before.abs() {
                    last
                } else {
                    before
                }
            }
            _ => 0.0,
        };
        let offset = if (value - hour).abs() < (value - hour - offset).abs() { 0.0 } else { offset };
        self.blend * (hour - self.middle + offset)
    }

    fn deviation(&self, slot: &Slot) -> f32 {
        let held = slot.error_weight.min(self.errors_weight);
        DEVIATION * (slot.error * held + self.errors[0] * PRIOR) / (held + PRIOR)
    }

    /// Learns a value; `before` is what was expected of it.
    pub(crate) fn learn(&mut self, place: Place, value: f32, before: Option<Outlook>, weight: f32, grid: Grid) {
        let target = if self.used { 1.0 } else { 0.0 };
        let step = (1.0 / (COMES * grid.windows)).min(1.0);
        self.blend += (target - self.blend).clamp(-step, step);
        let follows = (weight / (FOLLOWS * grid.windows)).min(1.0);
        let without = value - *self.flat.get_or_insert(value);
        if let (Some(hour), Some(before)) = (self.hour(place), before) {
            let with = value - hour - self.today;
            self.compare(with.abs(), without.abs(), weight, grid);
            self.recent += (1.0 / (RECENT * grid.windows)).min(1.0) * (with - self.recent);
            let most = CLIP * before.deviation;
            self.today += follows * with.clamp(-most, most);
            let slot = &mut self.slots[usize::from(place.inside)];
            slot.error_weight = (slot.error_weight + weight).min(DAYS * grid.of_slot());
            slot.error += weight / slot.error_weight * ((value - before.mean).abs().min(most) - slot.error);
        }
        self.flat = self.flat.map(|flat| flat + follows * without);
        let slot = &mut self.slots[usize::from(place.inside)];
        slot.today_weight += weight;
        slot.today += weight / slot.today_weight * (value - slot.today);
    }

    fn compare(&mut self, with: f32, without: f32, weight: f32, grid: Grid) {
        self.errors_weight = (self.errors_weight + weight).min(COMPARED * grid.windows);
        let share = weight / self.errors_weight;
        for (error, new) in self.errors.iter_mut().zip([with, without]) {
            *error += share * (new - *error);
        }
        if self.errors_weight >= BEFORE_USE * grid.windows {
            let most = if self.used { UNUSED } else { USED };
            self.used = self.errors[0] < most * self.errors[1];
        }
    }

    /// A day of this name ends.
    pub(crate) fn end_day(&mut self, weekday: u8, grid: Grid) {
        let known = self.slots.iter().filter(|slot| slot.days > 0.0 && slot.today_weight > 0.0);
        let mut offsets: Vec<f32> = known.map(|slot| slot.today - slot.mean).collect();
        let offset = match offsets.len() {
            0 => 0.0,
            slots => *offsets.select_nth_unstable_by(slots / 2, f32::total_cmp).1,
        };
        let known = &mut self.weekdays[usize::from(weekday)];
        *known = [Some(offset), known[0]];
        let known = self.errors_weight > 0.0;
        for index in 0..self.slots.len() {
            let slot = self.slots[index];
            if slot.today_weight > 0.0 {
                let most = if known && slot.days > 0.0 { CLIP_DAY * self.deviation(&slot) } else { f32::INFINITY };
                let day = (slot.today_weight / grid.of_slot()).min(1.0);
                let days = (slot.days + day).min(DAYS);
                let mean = slot.mean + day / days * (slot.today - offset - slot.mean).clamp(-most, most);
                self.slots[index] = Slot { mean, days, today: 0.0, today_weight: 0.0, ..slot };
            }
        }
        let seen = || self.slots.iter().filter(|slot| slot.days > 0.0);
        self.middle = seen().map(|slot| slot.mean).sum::<f32>() / (seen().count() as f32).max(1.0);
    }

    /// What is now is the new normal.
    pub(crate) fn accept(&mut self) {
        self.today += self.recent;
        self.recent = 0.0;
    }

    pub(crate) fn is_consistent(&self, grid: Grid) -> bool {
        // Values are cut at 1e15; what is far beyond would overflow.
        let value = |value: &f32| value.abs() <= 1e16;
        let amount = |value: &f32| (0.0..=1e16).contains(value);
        let slot = |slot: &Slot| {
            let Slot { mean, days, today, today_weight, error, error_weight } = slot;
            value(mean) && value(today) && [days, today_weight, error, error_weight].into_iter().all(amount)
        };
        self.slots.len() == grid.slots
            && self.slots.iter().all(slot)
            && self.weekdays.iter().flatten().chain([&self.flat]).flatten().all(value)
            && [&self.today, &self.recent, &self.middle].into_iter().all(value)
            && self.errors.iter().chain([&self.errors_weight]).all(amount)
            && (0.0..=1.0).contains(&self.blend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::LocalTime;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const WINDOW_MS: u64 = 600_000;
    const A_DAY: i64 = 144;

    /// Days from a Monday on, a value for each window; the profile at their end, and what it said of the last day.
    fn run(days: i64, mut value: impl FnMut(i64, f32) -> f32) -> (Profile, Vec<(f32, Option<Outlook>)>) {
        let grid = Grid::of(WINDOW_MS);
        let (mut profile, mut said) = (Profile::new(grid), Vec::new());
        for day in 0..days {
            for window in 0..A_DAY {
                // The fifth day of 1970 was a Monday.
                let time = LocalTime { day: 4 + day, ms: ((window * 2 + 1) * WINDOW_MS as i64 / 2) as u32 };
                let place = Place::of(time, grid.slots);
                let value = value(day, window as f32 / A_DAY as f32);
                let outlook = profile.outlook(place, value, Scale::Linear);
                profile.learn(place, value, outlook, 1.0, grid);
                if day == days - 1 {
                    said.push((value, outlook));
                }
            }
            profile.end_day((day % 7) as u8, grid);
        }
        (profile, said)
    }

    fn worst(said: &[(f32, Option<Outlook>)]) -> f32 {
        said.iter().map(|(value, outlook)| (value - outlook.unwrap().mean).abs()).fold(0.0, f32::max)
    }

    fn wave(part_of_day: f32) -> f32 {
        (part_of_day * std::f32::consts::TAU).sin()
    }

    #[test]
    fn a_daily_wave_is_expected_from_the_second_day_and_used_after_it() {
        let (profile, said) = run(2, |_, at| wave(at));
        assert!(worst(&said) < 0.05, "{}", worst(&said));
        assert!(profile.is_used());
        assert!(!run(1, |_, at| wave(at)).0.is_used());
    }

    #[test]
    fn noise_and_wandering_never_use_it() {
        for seed in 0..20 {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut level = 0.0;
            for days in 2..12 {
                let noise = run(days, |_, _| rng.random_range(-1.0..1.0)).0;
                let walk = run(days, |_, _| {
                    level += rng.random_range(-1.0_f32..1.0);
                    level
                });
                assert!(!noise.is_used() && noise.blend == 0.0, "noise {seed}, {days} days");
                assert!(!walk.0.is_used(), "walk {seed}, {days} days");
            }
        }
    }

    #[test]
    fn it_goes_out_of_use_when_the_days_lose_their_shape() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut noisy = |at: f32, height: f32| height * wave(at) + rng.random_range(-0.2..0.2);
        assert!(run(5, |_, at| noisy(at, 1.0)).0.is_used());
        let (profile, _) = run(9, |day, at| noisy(at, if day < 5 { 1.0 } else { 0.0 }));
        assert!(!profile.is_used() && profile.blend < 0.1, "{}", profile.blend);
    }

    #[test]
    fn a_quieter_weekend_keeps_its_shape_and_is_expected_a_week_later() {
        let weekly = |day: i64, at: f32| wave(at) - if day % 7 >= 5 { 0.7 } else { 0.0 };
        for day in [7, 8, 12, 13, 14] {
            let (_, said) = run(day, weekly);
            // The first Saturday, the sixth day, is the only one that nothing foretells.
            assert!(worst(&said) < 0.15, "day {day}: {}", worst(&said));
        }
        let (_, saturday) = run(6, weekly);
        assert!(saturday[0].1.unwrap().mean - saturday[0].0 > 0.6);
        assert!(worst(&saturday[18..]) < 0.1, "{}", worst(&saturday[18..]));
        let (profile, _) = run(15, weekly);
        let place = Place { weekday: 5, ..Place::default() };
        let monday = Place { weekday: 0, ..Place::default() };
        assert!((profile.shift(monday, 0.0) - profile.shift(place, -0.7) - 0.7).abs() < 0.1);
    }

    #[test]
    fn an_hour_of_nonsense_hardly_changes_the_hour() {
        let clean = run(5, |_, at| wave(at) + (at * 700.0).sin() * 0.1).0;
        let fault = |day, at| if day == 3 && (0.5..0.54).contains(&at) { 50.0 } else { 0.0 };
        let faulty = run(5, |day, at| wave(at) + (at * 700.0).sin() * 0.1 + fault(day, at)).0;
        for (a, b) in clean.slots.iter().zip(&faulty.slots) {
            // The plain mean of four days would be off by 12.
            assert!((a.mean - b.mean).abs() < 0.5, "{} {}", a.mean, b.mean);
        }
    }

    #[test]
    fn a_new_level_is_the_days_offset_once_accepted() {
        let (mut profile, _) = run(4, |_, at| wave(at));
        let (grid, place) = (Grid::of(WINDOW_MS), Place::default());
        for _ in 0..30 {
            let value = wave(0.0) + 5.0;
            let outlook = profile.outlook(place, value, Scale::Linear);
            profile.learn(place, value, outlook, 0.02, grid);
        }
        profile.accept();
        assert!((profile.hour(place).unwrap() + profile.today - 5.0).abs() < 0.3);
    }
}
