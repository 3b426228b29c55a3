//! What is done to workers and Redis while they work.

use crate::stage::{Stage, WORKERS};
use anyhow::Result;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What was done, and chance.
pub(crate) struct Blows {
    random: StdRng,
    killed: u32,
    stopped: u32,
    ended: u32,
    redis_killed: u32,
    paused: u32,
    slowest_end: Duration,
}

impl fmt::Display for Blows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} workers killed, {} stopped for seconds, {} ended in order (the slowest took {} ms), Redis killed {} times, \
             writes paused {} times",
            self.killed,
            self.stopped,
            self.ended,
            self.slowest_end.as_millis(),
            self.redis_killed,
            self.paused
        )
    }
}

impl Blows {
    pub(crate) fn new(seed: u64) -> Self {
        let random = StdRng::seed_from_u64(!seed);
        Self { random, killed: 0, stopped: 0, ended: 0, redis_killed: 0, paused: 0, slowest_end: Duration::ZERO }
    }

    /// Blow after blow until `end`; in the end everything runs.
    pub(crate) fn rain(&mut self, stage: &mut Stage, end: Instant) -> Result<()> {
        while Instant::now() < end {
            let worker = self.random.random_range(0..WORKERS);
            match self.random.random_range(0..100) {
                0..35 => self.kill(stage, worker)?,
                35..60 => self.stop(stage, worker)?,
                60..70 => {
                    // Nobody is there for a while.
                    for worker in 0..WORKERS {
                        self.killed += u32::from(stage.kill_worker(worker)?);
                    }
                    self.wait(500, 3_000);
                }
                70..80 => {
                    if let Some(took) = stage.end_worker(worker)? {
                        self.ended += 1;
                        self.slowest_end = self.slowest_end.max(took);
                    }
                }
                80..90 => {
                    let ms = self.random.random_range(300..1_500);
                    redis::cmd("CLIENT").arg("PAUSE").arg(ms).arg("WRITE").exec(&mut stage.connection()?)?;
                    self.paused += 1;
                }
                _ => {
                    let down = Duration::from_millis(self.random.random_range(0..800));
                    stage.kill_redis(down)?;
                    self.redis_killed += 1;
                }
            }
            self.wait(300, 1_500);
            for worker in 0..WORKERS {
                stage.start_worker(worker)?;
            }
            self.wait(500, 2_500);
        }
        Ok(())
    }

    fn kill(&mut self, stage: &mut Stage, worker: usize) -> Result<()> {
        self.killed += u32::from(stage.kill_worker(worker)?);
        Ok(())
    }

    /// Longer than a lease, sometimes: it wakes up fenced.
    fn stop(&mut self, stage: &mut Stage, worker: usize) -> Result<()> {
        self.stopped += u32::from(stage.signal_worker(worker, "-STOP")?);
        self.wait(500, 5_000);
        stage.signal_worker(worker, "-CONT")?;
        Ok(())
    }

    fn wait(&mut self, least_ms: u64, most_ms: u64) {
        sleep(Duration::from_millis(self.random.random_range(least_ms..most_ms)));
    }
}
