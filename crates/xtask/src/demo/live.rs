//! The shop at work: its past, its presence, and what breaks.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use eddyline_wire::alert::Event;

use super::alerts::Alerts;
use super::clock::now_ms;
use super::faults::{Fault, Schedule};
use super::feed::Feed;
use super::judge::Judge;
use super::screen::Screen;
use super::shop::Shop;
use super::stage::Stage;
use crate::stop;

/// Milliseconds of history.
const HISTORY_MS: u64 = 3_600_000;
/// A past that ends this many ms ago is the presence.
const PRESENT_MS: u64 = 100;
/// Time between two looks at the clock and the alerts.
const TURN: Duration = Duration::from_millis(20);
/// How long the worker may take for the history: many times what it does take.
const LEARNS_WITHIN: Duration = Duration::from_secs(120);
/// How long `--once` goes on after the last fault, in ms: at least, and for the incident to be resolved.
const AFTERMATH_MS: u64 = 6_000;
pub(super) const FAREWELL_MS: u64 = 20_000;

/// All that moves.
pub(super) struct Live<'a> {
    stage: Stage,
    alerts: Alerts,
    shop: Shop,
    feed: Feed,
    judge: &'a mut Judge,
    screen: &'a mut Screen,
    incident_is_open: bool,
}

impl<'a> Live<'a> {
    pub(super) fn new(stage: Stage, seed: u64, judge: &'a mut Judge, screen: &'a mut Screen) -> Result<Self> {
        let alerts = Alerts::subscribe(stage.connect()?)?;
        let shop = Shop::new(seed, now_ms()? - HISTORY_MS);
        let feed = Feed::new(stage.connect()?);
        Ok(Self { stage, alerts, shop, feed, judge, screen, incident_is_open: false })
    }

    /// Feeds an hour of history that ends now.
    pub(super) fn feed_history(&mut self) -> Result<()> {
        let start = Instant::now();
        loop {
            // while the past is fed, some more of it passes
            let end_ms = now_ms()?;
            while let Some(event) = self.shop.before(end_ms, None) {
                stop::check()?;
                self.feed.past(&event)?;
            }
            self.feed.flush()?;
            if now_ms()? - end_ms < PRESENT_MS {
                break;
            }
        }
        self.stage.go_live()?;
        let took = start.elapsed().as_secs_f64();
        self.screen.step(&format!("an hour of the shop's history is in: {} calls in {took:.1} s", self.feed.sent))
    }

    /// Waits until the worker has scored all windows so far, while the shop goes on.
    pub(super) fn warm_up(&mut self) -> Result<()> {
        let (start, until_ms) = (Instant::now(), now_ms()?);
        let windows = loop {
            self.turn(None)?;
            if let Some(windows) = self.stage.scored_to(until_ms)? {
                break windows;
            }
            if start.elapsed() > LEARNS_WITHIN {
                bail!("the worker hasn't scored the history within {} s", LEARNS_WITHIN.as_secs());
            }
        };
        let took = start.elapsed().as_secs_f64();
        self.screen.step(&format!("the worker has learned from {windows} windows, {took:.1} s after the last call"))
    }

    /// Breaks one thing after another: all kinds once, or without end.
    pub(super) fn break_things(&mut self, seed: u64, once: bool) -> Result<()> {
        let live_ms = now_ms()?;
        self.screen.live(live_ms, &self.stage.dashboard, self.stage.port)?;
        let mut schedule = Schedule::new(seed, live_ms);
        loop {
            let fault = schedule.next_fault();
            self.until(fault.start_ms, None)?;
            self.screen.broke(&fault)?;
            self.judge.broke(fault.clone());
            self.until(fault.end_ms, Some(&fault))?;
            self.screen.mended(&fault)?;
            if once && self.judge.has_all_kinds() {
                return self.settle(fault.end_ms);
            }
        }
    }

    /// Waits for what the last fault leaves behind.
    fn settle(&mut self, over_ms: u64) -> Result<()> {
        self.until(over_ms + AFTERMATH_MS, None)?;
        while self.incident_is_open && now_ms()? < over_ms + FAREWELL_MS {
            self.turn(None)?;
        }
        Ok(())
    }

    fn until(&mut self, end_ms: u64, fault: Option<&Fault>) -> Result<()> {
        while now_ms()? < end_ms {
            self.turn(fault)?;
        }
        Ok(())
    }

    /// Sends the calls of the last moment and hears what was said.
    fn turn(&mut self, fault: Option<&Fault>) -> Result<()> {
        stop::sleep(TURN)?;
        let now_ms = now_ms()?;
        while let Some(event) = self.shop.before(now_ms, fault) {
            self.feed.now(&event)?;
        }
        self.feed.flush()?;
        while let Some(heard) = self.alerts.next()? {
            self.incident_is_open = heard.alert.event != Event::Resolved;
            let about = self.judge.heard(&heard.alert, heard.at_ms);
            self.screen.alert(&heard, &about, &self.judge.findings)?;
        }
        self.stage.check()
    }
}
