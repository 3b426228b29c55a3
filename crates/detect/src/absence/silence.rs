//! Traffic to zero: how unusual it is that a monitor with traffic has none.

use crate::absence::hours::Hours;
use crate::absence::runs::Runs;
use crate::zone::LocalTime;
use serde::{Deserialize, Serialize};

/// Windows that must be known before a silence is one.
const KNOWN: u32 = 60;
/// The past counts half after a week, and not before so many windows.
const WEEK_MS: u64 = 7 * 86_400_000;
const LEAST_HORIZON: u64 = 10_000;
const HOUR_MS: u64 = 3_600_000;
/// Windows that say how much traffic there just was.
const RECENT: f64 = 50.0;

/// The empty windows of a monitor since its first observation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Silence {
    runs: Runs,
    hours: Hours,
    traffic: Traffic,
    /// Whether the window taken in last lies in an hour that is usually empty, and whether the silence began in one.
    in_quiet_hour: bool,
    after_quiet_hour: bool,
}

/// Observations of the last windows outside of runs that were told.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Traffic {
    seen: f64,
    mean: f64,
    square: f64,
}

impl Traffic {
    fn add(&mut self, n: f64) {
        self.seen = (self.seen + 1.0).min(RECENT);
        self.mean += (n - self.mean) / self.seen;
        self.square += (n * n - self.square) / self.seen;
    }

    /// The chance that a window is empty by itself: that of a count of this mean and spread, which is at least a Poisson
    /// count's and at most what a negative binomial one allows.
    fn empty(&self) -> f64 {
        let beyond = self.square - self.mean * self.mean - self.mean;
        if beyond <= 1e-9 * self.mean * self.mean {
            return (-self.mean).exp();
        }
        let shape = self.mean * self.mean / beyond;
        (-shape * (self.mean / shape).ln_1p()).exp()
    }
}

fn horizon(window_ms: u64) -> u32 {
    (WEEK_MS / window_ms.max(1)).max(LEAST_HORIZON).min(u64::from(u32::MAX)) as u32
}

impl Silence {
    /// Takes a window of so many observations in.
    pub(crate) fn take_in(&mut self, n: u64, time: LocalTime, window_ms: u64) {
        let is_empty = n == 0;
        if is_empty && self.runs.windows() == 0 {
            return;
        }
        self.in_quiet_hour = self.hours.is_quiet(is_empty, time);
        match (is_empty, self.in_quiet_hour) {
            (true, true) => {
                self.runs.excuse();
                self.after_quiet_hour = true;
            }
            (true, false) => self.runs.goes_on(),
            (false, _) => {
                if self.after_quiet_hour && u64::from(self.runs.run()) * window_ms <= HOUR_MS {
                    // A late morning.
                    self.runs.excuse();
                }
                let empty = if self.runs.is_told() { 0 } else { self.runs.run().min(RECENT as u32) };
                (0..empty).for_each(|_| self.traffic.add(0.0));
                self.traffic.add((n as f64).min(1e15));
                self.runs.ends(horizon(window_ms));
                self.after_quiet_hour = false;
            }
        }
    }

    /// The chance that an ordinary window stands in such a silence.
    pub(crate) fn p(&self) -> f64 {
        if self.runs.windows() < KNOWN || self.in_quiet_hour || self.runs.run() == 0 {
            return 1.0;
        }
        self.runs.p(self.traffic.empty())
    }

    /// Empty windows in a row.
    pub(crate) fn lasts(&self) -> u32 {
        self.runs.run()
    }

    /// Observations that a window had before, and their standard deviation.
    pub(crate) fn usual(&self) -> (f64, f64) {
        let Traffic { mean, square, .. } = self.traffic;
        (mean, (square - mean * mean).max(0.0).sqrt())
    }

    /// People hear of this silence.
    pub(crate) fn tell(&mut self) {
        self.runs.tell();
    }

    /// It is the new normal: what was known of the traffic before it isn't any more.
    pub(crate) fn accept(&mut self) {
        if self.runs.run() > 0 {
            (self.runs, self.traffic) = (Runs::default(), Traffic::default());
        }
    }

    pub(crate) fn is_consistent(&self) -> bool {
        let Traffic { seen, mean, square } = self.traffic;
        (0.0..=RECENT).contains(&seen)
            && (0.0..=1e15).contains(&mean)
            && (0.0..=1e30).contains(&square)
            && self.runs.is_consistent()
            && self.hours.is_consistent()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW_MS: u64 = 5_000;
    const P_ALERT: f64 = 5.8e-5;

    struct Monitor {
        silence: Silence,
        end_ms: u64,
    }

    impl Monitor {
        fn new() -> Self {
            Self { silence: Silence::default(), end_ms: 4 * 86_400_000 }
        }

        /// A window of so many observations; whether it is told as silent.
        fn push(&mut self, n: u64) -> bool {
            let time = LocalTime { day: (self.end_ms / 86_400_000) as i64, ms: (self.end_ms % 86_400_000) as u32 };
            self.end_ms += WINDOW_MS;
            self.silence.take_in(n, time, WINDOW_MS);
            let is_told = self.silence.p() <= P_ALERT;
            if is_told {
                self.silence.tell();
            }
            is_told
        }

        fn told(&mut self, windows: impl Iterator<Item = u64>) -> usize {
            windows.filter(|n| self.push(*n)).count()
        }
    }

    #[test]
    fn steady_traffic_that_stops_is_told_within_three_windows_and_until_it_comes_back() {
        let mut monitor = Monitor::new();
        assert_eq!(monitor.told((0..1_000).map(|window| 90 + window % 20)), 0);
        for _ in 0..10 {
            let silent: Vec<bool> = (0..500).map(|_| monitor.push(0)).collect();
            let first = silent.iter().position(|told| *told).unwrap();
            assert!(first <= 2 && silent[first..].iter().all(|told| *told), "told after {first}");
            assert_eq!(monitor.told((0..200).map(|window| 90 + window % 20)), 0);
        }
    }

    #[test]
    fn a_job_that_runs_now_and_then_is_silent_when_it_fails_to() {
        let mut monitor = Monitor::new();
        let mut job = (0..5_000).map(|window| if window % 60 == 0 { 50 } else { 0 });
        assert_eq!(monitor.told(&mut job), 0);
        let silent: Vec<bool> = (0..200).map(|_| monitor.push(0)).collect();
        assert!((60..150).contains(&silent.iter().position(|told| *told).unwrap()));
    }

    #[test]
    fn thin_traffic_and_traffic_that_ebbs_away_are_not_silent() {
        let mut monitor = Monitor::new();
        let thin = |window: u64| u64::from(window.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 == 0);
        assert_eq!(monitor.told((0..50_000).map(thin)), 0);
        let mut monitor = Monitor::new();
        // 100 observations a window, then half as many every hour, as a hash spreads them.
        let ebb = |window: u64| {
            let mean = 100.0 * 0.5_f64.powf(window.saturating_sub(5_000) as f64 / 720.0);
            let noise = (window.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as f64 / (1_u64 << 24) as f64;
            (mean + noise) as u64
        };
        assert_eq!(monitor.told((0..12_000).map(ebb)), 0);
    }

    #[test]
    fn nights_are_told_until_they_are_known() {
        let mut monitor = Monitor::new();
        let mut nights = Vec::new();
        for day in 0..12 {
            // From 7:00 to 21:00, and never exactly.
            let told = (0..17_280_u64).filter(|window| {
                let open = 5_040 + (day * 37) % 120..15_120 - (day * 53) % 120;
                monitor.push(if open.contains(window) { 20 } else { 0 })
            });
            if told.count() > 0 {
                nights.push(day);
            }
        }
        assert!(nights.iter().all(|day| *day <= 2), "{nights:?}");
        assert!((0..12_000).filter(|_| monitor.push(0)).count() > 4_000, "a day without traffic");
    }

    #[test]
    fn nothing_is_silent_before_the_first_observation_nor_after_silence_is_the_new_normal() {
        let mut monitor = Monitor::new();
        assert_eq!(monitor.told(std::iter::repeat_n(0, 10_000)), 0);
        monitor.told(std::iter::repeat_n(9, 1_000));
        assert_eq!(monitor.told(std::iter::repeat_n(0, 10)), 9);
        monitor.silence.accept();
        assert_eq!(monitor.told(std::iter::repeat_n(0, 1_000)), 0);
    }
}
