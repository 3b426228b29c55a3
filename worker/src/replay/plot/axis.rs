//! Where the time axis has its marks.

use crate::replay::report::clock;

const MINUTE: u64 = 60_000;
const DAY: u64 = 1440 * MINUTE;
/// Steps between marks that people count in.
const STEPS: [u64; 20] = [
    1_000,
    5_000,
    15_000,
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    60 * MINUTE,
    120 * MINUTE,
    180 * MINUTE,
    360 * MINUTE,
    720 * MINUTE,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
];
/// Marks at most.
const MARKS: u64 = 9;

/// Times of the marks between `first` and `last`, each with its text.
pub(super) fn times(first: u64, last: u64) -> Vec<(u64, String)> {
    let fits = |step: &&u64| (last - first) / **step <= MARKS;
    let step = STEPS.iter().find(fits).copied().unwrap_or(((last - first) / MARKS).max(1));
    let mut marks: Vec<(u64, String)> = Vec::new();
    let mut day = String::new();
    for ms in multiples(step, first, last) {
        let text = clock(ms);
        let (date, time) = text.split_once(' ').unwrap_or((&text, ""));
        let is_new = date != day;
        let time = if step < MINUTE { time } else { time.get(..5).unwrap_or(time) };
        let label = match (step >= DAY, is_new) {
            (true, _) => date.to_owned(),
            (false, true) => format!("{} {time}", date.get(5..).unwrap_or(date)),
            (false, false) => time.to_owned(),
        };
        date.clone_into(&mut day);
        marks.push((ms, label));
    }
    marks
}

/// Numbers of windows between `first` and `last`, each at the end of its window.
pub(super) fn counts(first: u64, last: u64, window_ms: u64) -> Vec<(u64, String)> {
    let windows = (last - first) / window_ms;
    let mut round = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let step = round.find(|step| windows / step <= MARKS).unwrap_or(windows);
    multiples(step * window_ms, first, last).map(|ms| (ms, (ms / window_ms).to_string())).collect()
}

fn multiples(step: u64, first: u64, last: u64) -> impl Iterator<Item = u64> {
    (first.div_ceil(step)..=last / step).map(move |nth| nth * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(marks: Vec<(u64, String)>) -> Vec<String> {
        marks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_are_at_times_that_people_count_in() {
        let ms = 1_661_140_339_209;
        assert_eq!(labels(times(ms, ms + 3 * 3_600_000)), ["08-22 04:00", "04:30", "05:00", "05:30", "06:00", "06:30"]);
        assert_eq!(labels(times(ms, ms + 3 * DAY))[..3], ["08-22 12:00", "08-23 00:00", "12:00"]);
        assert_eq!(labels(times(ms, ms + 10 * DAY))[0], "2022-08-24");
        assert!(times(0, 1).len() <= 10 && times(1, u64::MAX / 2).len() <= 10);
    }

    #[test]
    fn windows_are_counted_in_round_steps() {
        assert_eq!(labels(counts(0, 4_320 * 300_000, 300_000))[..3], ["0", "500", "1000"]);
        assert_eq!(labels(counts(0, 70_000, 10_000)), ["0", "1", "2", "3", "4", "5", "6", "7"]);
        assert_eq!(labels(counts(0, 150, 10)), ["0", "2", "4", "6", "8", "10", "12", "14"]);
    }
}
