//! Observations on their way to Redis: those of all requests that wait go together, so that single ones cost little more than
//! many. Who asked is answered when Redis has answered. For one server: a cluster's client would send again by itself what it lost
//! the reply of.

use super::errors::{Code, Problem};
use super::link::{Current, Link, Reporter};
use super::outcome::{Part, refusal, unknown};
use eddyline_intake::group::{Group, Texts};
use eddyline_wire::command::mobserve::MAX_ROWS;
use redis::{Pipeline, RedisResult};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

/// Requests that wait to be sent. More are refused: whoever sends comes back.
const WAITING: usize = 8192;
/// Pipelines on their way at once: while one is answered the next is made.
const LANES: usize = 2;
/// Observations that go together; more wait for the next time.
const ROWS: usize = 20_000;

/// One request's observations, and who waits for what becomes of each group.
#[derive(Debug)]
struct Job {
    groups: Arc<Vec<Group>>,
    answer: oneshot::Sender<Vec<Vec<Part>>>,
}

/// Takes observations.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    waiting: Mutex<Option<mpsc::Receiver<Job>>>,
}

impl Default for Writer {
    fn default() -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING);
        Self { jobs, waiting: Mutex::new(Some(waiting)) }
    }
}

impl Writer {
    /// What becomes of each group, in parts that stand beside each other.
    ///
    /// # Errors
    /// Too much waits; nothing was counted.
    pub(super) async fn count(&self, groups: Arc<Vec<Group>>) -> Result<Vec<Vec<Part>>, Problem> {
        let busy =
            || Problem::new(Code::Busy, "more waits for Redis than may; try again").retry_after(Duration::from_secs(1));
        let (answer, answered) = oneshot::channel();
        self.jobs.try_send(Job { groups, answer }).map_err(|_| busy())?;
        answered.await.map_err(|_| Problem::new(Code::UnknownOutcome, "the gateway is ending"))
    }

    /// Sends what comes, for as long as it is polled. Only the first call does.
    pub(super) async fn send(&self, link: &Link) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut waiting) = waiting else { return };
        let (lanes, mut under_way) = (Arc::new(Semaphore::new(LANES)), JoinSet::new());
        loop {
            // While all lanes are taken, what comes gathers.
            let Ok(lane) = Arc::clone(&lanes).acquire_owned().await else { return };
            while under_way.try_join_next().is_some() {}
            let Some(first) = waiting.recv().await else { return };
            let (mut rows, mut jobs) = (first.rows(), vec![first]);
            while rows < ROWS
                && let Ok(job) = waiting.try_recv()
            {
                rows += job.rows();
                jobs.push(job);
            }
            let current = link.current();
            let lost = link.reporter();
            under_way.spawn(async move {
                let outcomes = send(current, lost, &jobs).await;
                for (job, outcome) in jobs.into_iter().zip(outcomes) {
                    // Who went away meanwhile needs no answer.
                    let _ = job.answer.send(outcome);
                }
                drop(lane);
            });
        }
    }
}

impl Job {
    fn rows(&self) -> usize {
        self.groups.iter().map(|group| group.items.len()).sum()
    }
}

/// Rows of one group of one job.
struct Slice {
    job: usize,
    group: usize,
    from: usize,
    to: usize,
}

/// One `EDDY.MOBSERVE`.
struct Command<'a> {
    monitor: &'a str,
    fields: &'a Texts,
    slices: Vec<Slice>,
    rows: usize,
}

/// All rows of the same monitor and fields in as few commands as they take.
fn commands(jobs: &[Job]) -> Vec<Command<'_>> {
    let (mut commands, mut open) = (Vec::<Command<'_>>::new(), BTreeMap::new());
    for (job, Job { groups, .. }) in jobs.iter().enumerate() {
        for (at, group) in groups.iter().enumerate() {
            let (monitor, fields) = (group.monitor.as_str(), &group.fields);
            let mut from = 0;
            while from < group.items.len() {
                let place = open.get(&(monitor, fields)).copied();
                let place = place.filter(|place: &usize| commands[*place].rows < MAX_ROWS).unwrap_or_else(|| {
                    commands.push(Command { monitor, fields, slices: Vec::new(), rows: 0 });
                    open.insert((monitor, fields), commands.len() - 1);
                    commands.len() - 1
                });
                let command = &mut commands[place];
                let to = group.items.len().min(from + MAX_ROWS - command.rows);
                command.slices.push(Slice { job, group: at, from, to });
                command.rows += to - from;
                from = to;
            }
        }
    }
    commands
}

impl Command<'_> {
    fn add_to(&self, pipe: &mut Pipeline, jobs: &[Job]) {
        let command = pipe.cmd("EDDY.MOBSERVE").arg(self.monitor).arg(self.fields.len());
        self.fields.iter().for_each(|field| {
            command.arg(field);
        });
        for slice in &self.slices {
            let (values, n) = (&jobs[slice.job].groups[slice.group].values, self.fields.len());
            values.range(slice.from * n..slice.to * n).for_each(|value| {
                command.arg(value);
            });
        }
    }
}

/// What became of each job's groups.
async fn send(current: Result<Current, Problem>, lost: Reporter, jobs: &[Job]) -> Vec<Vec<Vec<Part>>> {
    let commands = commands(jobs);
    let results = match current {
        Err(problem) => vec![Err(problem); commands.len()],
        Ok(current) => answers(current, &lost, &commands, jobs).await,
    };
    let mut outcomes: Vec<Vec<Vec<Part>>> = jobs.iter().map(|job| vec![Vec::new(); job.groups.len()]).collect();
    for (command, result) in commands.iter().zip(results) {
        for Slice { job, group, from, to } in &command.slices {
            outcomes[*job][*group].push(Part { rows: to - from, result: result.clone() });
        }
    }
    outcomes
}

async fn answers(
    Current { mut connection, number }: Current,
    lost: &Reporter,
    commands: &[Command<'_>],
    jobs: &[Job],
) -> Vec<Result<(), Problem>> {
    let mut pipe = redis::pipe();
    commands.iter().for_each(|command| command.add_to(&mut pipe, jobs));
    let replies: RedisResult<Vec<RedisResult<i64>>> = pipe.ignore_errors().query_async(&mut connection).await;
    match replies {
        Ok(replies) => {
            let result = |(command, reply): (&Command<'_>, RedisResult<i64>)| {
                reply.map(drop).map_err(|error| {
                    lost.report(number, &error);
                    refusal(command.monitor, &error)
                })
            };
            commands.iter().zip(replies).map(result).collect()
        }
        Err(error) => {
            lost.report(number, &error);
            vec![Err(unknown(&error)); commands.len()]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eddyline_intake::events::{Form, read};

    fn job(body: &str) -> Job {
        let events = read(body.as_bytes(), Form::Json, None).unwrap();
        Job { groups: Arc::new(events.groups), answer: oneshot::channel().0 }
    }

    fn packed(jobs: &[Job]) -> Vec<String> {
        let mut pipe = redis::pipe();
        commands(jobs).iter().for_each(|command| command.add_to(&mut pipe, jobs));
        let text = String::from_utf8(pipe.get_packed_pipeline()).unwrap();
        let words: Vec<&str> = text.split("\r\n").filter(|word| !word.starts_with(['$', '*'])).collect();
        words.join(" ").split("EDDY.MOBSERVE ").map(|words| words.trim().to_owned()).skip(1).collect()
    }

    #[test]
    fn requests_that_wait_share_commands() {
        let one = |monitor, a| job(&format!(r#"{{"monitor":"{monitor}","fields":{{"a":{a}}}}}"#));
        let two = job(r#"[{"monitor":"x","fields":{"a":3}},{"monitor":"x","fields":{"b":4}}]"#);
        assert_eq!(packed(&[one("x", 1), one("y", 2), two, one("x", 5)]), ["x 1 a 1 3 5", "y 1 a 2", "x 1 b 4"]);
    }

    #[test]
    fn no_command_has_more_rows_than_it_may() {
        let many = |n: usize| {
            let items: Vec<_> = (0..n).map(|i| format!(r#"{{"monitor":"x","fields":{{"a":{i}}}}}"#)).collect();
            job(&format!("[{}]", items.join(",")))
        };
        let jobs = [many(700), many(1500)];
        let commands = commands(&jobs);
        assert_eq!(commands.iter().map(|command| command.rows).collect::<Vec<_>>(), [1000, 1000, 200]);
        let slices: Vec<_> =
            commands.iter().flat_map(|it| &it.slices).map(|slice| (slice.job, slice.from, slice.to)).collect();
        assert_eq!(slices, [(0, 0, 700), (1, 0, 300), (1, 300, 1300), (1, 1300, 1500)]);
    }
}
