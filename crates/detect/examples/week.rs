//! A simulated shop over two weeks: incidents opened a day in ordinary traffic, and whether traffic of another hour is found.
//!
//! `cargo run --release -p eddyline-detect --example week -- [window in seconds] [days] [seed] [events a second at noon]
//! [minutes of the night's traffic at 14:00 and of noon's at 3:00, from the fourth day on]`

#[path = "../tests/week/mod.rs"]
mod week;

use eddyline_detect::{Change, Pipeline, Settings};
use std::time::Instant;
use week::shop::{Fault, Shop};
use week::{DAY_MS, MONDAY_MS, Week};

const HOUR_MS: u64 = 3_600_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: f64| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (window_ms, days, seed) = ((number(60.0) * 1000.0) as u64, number(14.0) as u64, number(1.0) as u64);
    let mut week = Week::new(seed, number(20.0), window_ms, MONDAY_MS);
    let wrong_ms = (number(0.0) * 60_000.0) as u64;
    let mut pipeline = Pipeline::new(Shop::layout(), Settings::new(window_ms)).expect("sound settings");
    let (mut opened, mut found, mut wrong) = (vec![0_u32; days as usize], 0, 0);
    let (mut spent, start) = (0.0, Instant::now());
    for window in 0..days * DAY_MS / window_ms {
        let at = window * window_ms;
        let (day, time) = ((at / DAY_MS) as usize, at % DAY_MS);
        let during = |hour: u64| day >= 3 && (hour * HOUR_MS..hour * HOUR_MS + wrong_ms).contains(&time);
        let local_ms = match (during(3), during(14)) {
            (true, _) => MONDAY_MS + 14 * HOUR_MS,
            (_, true) => MONDAY_MS + 3 * HOUR_MS,
            _ => week.now_ms(),
        };
        wrong += u32::from(wrong_ms > 0 && day >= 3 && [3, 14].contains(&(time / HOUR_MS)) && time % HOUR_MS == 0);
        let fingerprint = week.next_at(local_ms, Fault::None);
        let before = Instant::now();
        let verdict = pipeline.push(&fingerprint.window()).expect("a sound window");
        spent += before.elapsed().as_secs_f64();
        let clock = format!("day {} {:02}:{:02}", day + 1, time / HOUR_MS, time / 60_000 % 60);
        match verdict.change {
            Some(Change::Opened(incident)) => {
                println!("{clock}: opened, score {:.2}: {}", incident.score, incident.summary);
                let hit = during(3) || during(14);
                found += u32::from(hit);
                opened[day] += u32::from(!hit);
            }
            Some(Change::Resolved(incident, why)) => println!("{clock}: {why} after {} windows", incident.windows),
            _ => {}
        }
    }
    println!(
        "{:.1} us a window, {:.0} s in all",
        spent * 1e6 / (days * DAY_MS / window_ms) as f64,
        start.elapsed().as_secs_f64()
    );
    println!("{found} of {wrong} stretches of another hour's traffic found");
    println!("opened a day: {opened:?}, {} in the first week", opened.iter().take(7).sum::<u32>());
}
