//! `GET /v1/stream`: what is new, as server-sent events.

use super::board::{Joined, Missed, Told};
use super::past;
use crate::gateway::errors::{Code, ErrorBody, Problem};
use crate::gateway::reading::Reading;
use crate::gateway::reading::asked::{Asked, invalid, monitor};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::wrappers::ReceiverStream;
use utoipa::IntoParams;

/// Listeners at once.
pub const LISTENERS: usize = 200;
/// A line that says nothing, so that both sides know that the other is there.
const QUIET: Duration = Duration::from_secs(15);
/// Events that wait to be sent to one listener, and how long the oldest may.
const WAITING: usize = 256;
const SLOW: Duration = Duration::from_secs(20);
/// One lasts no longer: who comes back shows its key again.
const LONGEST: Duration = Duration::from_secs(3600);
/// A listener comes back after so long.
const RETRY: Duration = Duration::from_secs(1);

/// Which events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamOf {
    /// Only events of this monitor.
    monitor: Option<String>,
    /// Begin with what came at this time, ms since the epoch: the `id` of the last event that was heard. The header
    /// `last-event-id` says the same and counts more.
    after: Option<u64>,
}

/// What is new, as it comes: `event: score` with a score and its monitor, `event: alert` with a message about an incident.
///
/// The `id` of an event is the latest end of a window told so far, in ms since the epoch. Who comes back with it as
/// `last-event-id` gets everything since, that millisecond again included: drop what is known by its monitor and id. A
/// listener that doesn't keep up is dropped, and each after an hour; coming back leaves no gap.
#[utoipa::path(
    get, path = "/v1/stream", tag = "stream", params(StreamOf),
    responses(
        (status = 200, content_type = "text/event-stream", body = String),
        (status = 400, body = ErrorBody), (status = 410, body = ErrorBody, description = "Too much came since then"),
        (status = 429, body = ErrorBody, description = "There are as many listeners as can be"),
        (status = 503, body = ErrorBody),
    ),
)]
pub(in crate::gateway::reading) async fn stream(
    State(reading): State<Reading>,
    Asked(of): Asked<StreamOf>,
    headers: HeaderMap,
) -> Result<Sse<KeptAlive>, Problem> {
    let only = of.monitor.as_deref().map(monitor).transpose()?.map(|keys| keys.monitor().to_vec());
    let after = last_event(&headers)?.or(of.after);
    let place = Arc::clone(&reading.listeners).try_acquire_owned().map_err(|_| {
        Problem::new(Code::Busy, format!("{LISTENERS} others listen already; try again")).retry_after(RETRY)
    })?;
    let joined = reading.live.join().await?;
    let (told, missed, high_ms) = joined.listen(after);
    let missed = match missed {
        Missed::Known(missed) => missed,
        Missed::Unknown(mut positions) => {
            positions.retain(|name, _| only.as_ref().is_none_or(|only| only == name));
            past::missed(&reading.connection()?, &positions, after.unwrap_or_default()).await?
        }
    };
    let (events, receiver) = mpsc::channel(WAITING);
    let listener = Listener { only, events, patience: SLOW, _joined: joined, _place: place };
    let begin = after.is_none().then_some(high_ms);
    tokio::spawn(listener.serve(begin, missed, told));
    let stream = ReceiverStream::new(receiver);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(QUIET)))
}

type Events = ReceiverStream<Result<Event, Infallible>>;
/// The stream with lines in between that say nothing.
pub(in crate::gateway::reading) type KeptAlive = axum::response::sse::KeepAliveStream<Events>;

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(id) = headers.get("last-event-id") else { return Ok(None) };
    let ms = id.to_str().ok().filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).and_then(|id| id.parse().ok());
    ms.map(Some).ok_or_else(|| invalid("last-event-id", "the id of an event: milliseconds since the epoch"))
}

struct Listener {
    only: Option<Vec<u8>>,
    events: mpsc::Sender<Result<Event, Infallible>>,
    patience: Duration,
    _joined: Joined,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// Tells what was missed and what is new, until it can't keep up or is gone.
    async fn serve(self, begin: Option<u64>, missed: Vec<Arc<Told>>, mut told: Receiver<Arc<Told>>) {
        let first = Event::default().comment("eddyline").retry(RETRY);
        let first = begin.map_or(first.clone(), |high_ms| first.id(high_ms.to_string()));
        if !self.send(first).await {
            return;
        }
        let end = Instant::now() + LONGEST;
        for told in missed {
            if !self.tell(&told).await {
                return;
            }
        }
        loop {
            let next = tokio::select! {
                next = timeout_at(end, told.recv()) => next,
                () = self.events.closed() => return,
            };
            match next {
                Ok(Ok(told)) if self.tell(&told).await => {}
                // An hour is over, it is too far behind, or gone.
                _ => return,
            }
        }
    }

    async fn tell(&self, told: &Told) -> bool {
        if self.only.as_ref().is_some_and(|only| *only != told.news.monitor) {
            return true;
        }
        let event = Event::default().event(told.news.kind.name()).id(told.high_ms.to_string()).data(&told.news.data);
        self.send(event).await
    }

    /// Says whether the listener keeps up.
    async fn send(&self, event: Event) -> bool {
        matches!(timeout(self.patience, self.events.send(Ok(event))).await, Ok(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::reading::live::board::{Board, Kind, News};
    use axum::http::HeaderValue;
    use eddyline_wire::command::EntryId;
    use tokio::sync::{Semaphore, broadcast};

    #[tokio::test]
    async fn who_takes_nothing_is_dropped_and_gives_up_its_place() {
        let (places, board) = (Arc::new(Semaphore::new(1)), Arc::new(Board::default()));
        let (teller, told) = broadcast::channel(16);
        for ms in 1..=8 {
            let entry = EntryId { ms, seq: 0 };
            let news = News { monitor: b"shop".to_vec(), kind: Kind::Score, entry, data: "{}".to_owned() };
            teller.send(Arc::new(Told { high_ms: ms, news })).unwrap();
        }
        let (events, mut receiver) = mpsc::channel(2);
        let listener = Listener {
            only: None,
            events,
            patience: Duration::from_millis(50),
            _joined: Board::join(&board).0,
            _place: Arc::clone(&places).try_acquire_owned().unwrap(),
        };
        let serving = listener.serve(None, Vec::new(), told);
        timeout(Duration::from_secs(60), serving).await.expect("it isn't waited for");
        assert_eq!(places.available_permits(), 1);
        let mut waited = 0;
        while receiver.recv().await.is_some() {
            waited += 1;
        }
        assert_eq!(waited, 2, "no more waits than may");
    }

    #[test]
    fn only_milliseconds_say_where_to_begin() {
        let with = |value: &'static str| {
            last_event(&HeaderMap::from_iter([("last-event-id".parse().unwrap(), HeaderValue::from_static(value))]))
        };
        assert_eq!(last_event(&HeaderMap::new()), Ok(None));
        assert_eq!(with("1795226643000"), Ok(Some(1_795_226_643_000)));
        for bad in ["", "-1", "+1", "1795226643000-0", "18446744073709551616", "x"] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }
}
