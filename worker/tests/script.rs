//! The one script: what it writes, and when it writes nothing.

mod plain;

use eddyline_testkit::Server;
use eddyline_wire::alert::Alert;
use eddyline_wire::command::EntryId;
use eddyline_wire::keys::ALERTS;
use eddyline_wire::score::{Score, State};
use eddyline_worker::store::connect::{Address, Connection};
use eddyline_worker::store::lease::{Lease, Taking, Token};
use eddyline_worker::store::write::{GROUP, Outcome, Results, Writer};
use plain::keys;
use redis::{PushInfo, PushKind, Value};
use tokio::sync::mpsc::Receiver;

const GOLDEN: &str = include_str!("../../crates/wire/fixtures/alert.json");
const WRITTEN: Outcome = Outcome::Written { unsaid: 0 };
const NONE: EntryId = EntryId { ms: 0, seq: 0 };

fn at(ms: u64) -> EntryId {
    EntryId { ms, seq: 0 }
}

fn results(ms: u64) -> Results {
    let score = Score { score: 0.25, p: 0.5, state: State::Ready, incident: None, held: None, missed: 0 };
    Results { id: at(ms), score, alerts: vec![], checkpoint: None }
}

fn golden_alert() -> Alert {
    serde_json::from_str(GOLDEN).unwrap()
}

fn taken(taking: Taking) -> Lease {
    match taking {
        Taking::Taken(lease) => lease,
        Taking::Elsewhere(left) => panic!("another's for {left:?}"),
    }
}

struct Stage {
    _server: Server,
    connection: Connection,
    pushes: Receiver<PushInfo>,
    lease: Lease,
    writer: Writer,
}

impl Stage {
    async fn set() -> Self {
        let server = Server::plain().start().unwrap();
        let (mut connection, pushes) = Address::parse(&server.url()).unwrap().connect().await.unwrap();
        let lease = taken(Lease::take(&mut connection, &keys().lease(), &keys().lease_tokens(), "test").await.unwrap());
        Self { _server: server, connection, pushes, lease, writer: Writer::new(&keys()) }
    }

    async fn write(&mut self, known: EntryId, batch: &[Results]) -> Vec<Outcome> {
        self.writer.write(&mut self.connection, self.lease.token(), known, 1000, batch).await.unwrap()
    }

    async fn command(&mut self, words: &[&[u8]]) -> Value {
        let mut command = redis::cmd(std::str::from_utf8(words[0]).unwrap());
        for word in &words[1..] {
            command.arg(word);
        }
        command.query_async(&mut self.connection).await.unwrap()
    }

    async fn length(&mut self, key: Vec<u8>) -> Value {
        self.command(&[b"XLEN", &key]).await
    }
}

#[tokio::test]
async fn a_fingerprints_results_are_written_whole_and_published() {
    let mut stage = Stage::set().await;
    stage.command(&[b"XADD", &keys().fingerprints(), b"1795166105000-0", b"n", b"1"]).await;
    stage.connection.subscribe(&[ALERTS.as_bytes(), &keys().alerts()]).await.unwrap();
    let alert = golden_alert();
    let batch =
        [Results { alerts: vec![alert.clone()], checkpoint: Some(b"learnt".to_vec()), ..results(1_795_166_105_000) }];
    assert_eq!(stage.write(NONE, &batch).await, [WRITTEN]);

    let mut heard = Vec::new();
    while heard.len() < 2 {
        let push = stage.pushes.recv().await.unwrap();
        if push.kind == PushKind::Message {
            heard.push(push.data);
        }
    }
    let message = |channel: &[u8]| vec![Value::BulkString(channel.to_vec()), Value::BulkString(GOLDEN.trim().into())];
    assert_eq!(heard, [message(ALERTS.as_bytes()), message(&keys().alerts())]);

    let incidents = stage.command(&[b"XRANGE", &keys().incidents(), b"-", b"+"]).await;
    let text = |text: &str| Value::BulkString(text.into());
    let fields = ["event", "opened", "incident", &alert.incident, "alert", GOLDEN.trim()].map(text);
    let entry = Value::Array(vec![text("1795166105000-0"), Value::Array(fields.to_vec())]);
    assert_eq!(incidents, Value::Array(vec![entry]));
    assert_eq!(stage.command(&[b"GET", &keys().model()]).await, text("learnt"));
    let groups: Vec<std::collections::HashMap<String, Value>> =
        redis::cmd("XINFO").arg("GROUPS").arg(keys().fingerprints()).query_async(&mut stage.connection).await.unwrap();
    assert_eq!((&groups[0]["name"], &groups[0]["lag"]), (&text(GROUP), &Value::Int(0)));
}

#[tokio::test]
async fn a_worker_without_the_lease_writes_nothing() {
    let mut stage = Stage::set().await;
    stage.command(&[b"SET", &keys().lease(), b"another's"]).await;
    let batch = [Results { alerts: vec![golden_alert()], checkpoint: Some(vec![1]), ..results(5000) }];
    assert_eq!(stage.write(NONE, &batch).await, [Outcome::Fenced]);
    stage.command(&[b"DEL", &keys().lease()]).await;
    assert_eq!(stage.write(NONE, &batch).await, [Outcome::Fenced]);
    for key in [keys().scores(), keys().incidents(), keys().model()] {
        assert_eq!(stage.command(&[b"EXISTS", &key]).await, Value::Int(0));
    }
}

#[tokio::test]
async fn a_fingerprint_that_has_its_score_gets_nothing_more() {
    let mut stage = Stage::set().await;
    assert_eq!(stage.write(NONE, &[results(5000), results(6000)]).await, [WRITTEN, WRITTEN]);
    let again = Results { alerts: vec![golden_alert()], checkpoint: Some(vec![1]), ..results(6000) };
    assert_eq!(stage.write(at(5000), std::slice::from_ref(&again)).await, [Outcome::Duplicate]);
    assert_eq!(stage.write(at(6000), &[again]).await, [Outcome::Duplicate]);
    assert_eq!(stage.write(NONE, &[results(4000)]).await, [Outcome::Duplicate]);
    assert_eq!(stage.length(keys().scores()).await, Value::Int(2));
    assert_eq!(stage.length(keys().incidents()).await, Value::Int(0));
    assert_eq!(stage.command(&[b"EXISTS", &keys().model()]).await, Value::Int(0));
}

#[tokio::test]
async fn a_score_is_never_left_out_when_the_one_before_is_not_there() {
    let mut stage = Stage::set().await;
    assert_eq!(stage.write(NONE, &[results(5000)]).await, [WRITTEN]);
    let batch = [results(7000), results(8000)];
    assert_eq!(stage.write(at(6000), &batch).await, [Outcome::Behind, Outcome::Behind]);
    assert_eq!(stage.length(keys().scores()).await, Value::Int(1));
}

#[tokio::test]
async fn a_message_that_its_stream_does_not_take_is_counted_and_one_that_stands_is_not() {
    let mut stage = Stage::set().await;
    let alert = golden_alert();
    let batch = [Results { alerts: vec![alert], ..results(1_795_166_105_000) }];
    assert_eq!(stage.write(NONE, &batch).await, [WRITTEN]);
    stage.command(&[b"DEL", &keys().scores()]).await;
    assert_eq!(stage.write(NONE, &batch).await, [WRITTEN], "the same again");
    assert_eq!(stage.length(keys().incidents()).await, Value::Int(1));

    stage.command(&[b"DEL", &keys().scores(), &keys().incidents()]).await;
    stage.command(&[b"XADD", &keys().incidents(), b"1795166105001-0", b"event", b"opened"]).await;
    assert_eq!(stage.write(NONE, &batch).await, [Outcome::Written { unsaid: 1 }]);
    assert_eq!(stage.length(keys().incidents()).await, Value::Int(1));
}

#[tokio::test]
async fn what_would_fail_halfway_fails_before_anything_is_written() {
    let mut stage = Stage::set().await;
    stage.command(&[b"SET", &keys().incidents(), b"no stream"]).await;
    let outcomes = stage.write(NONE, &[results(5000)]).await;
    assert!(
        matches!(&outcomes[..], [Outcome::Refused(error)] if error.to_string().contains("WRONGTYPE")),
        "{outcomes:?}"
    );
    assert_eq!(stage.length(keys().scores()).await, Value::Int(0));
}

#[tokio::test]
async fn a_server_that_forgot_the_script_is_told_again() {
    let mut stage = Stage::set().await;
    assert_eq!(stage.write(NONE, &[results(5000)]).await, [WRITTEN]);
    stage.command(&[b"SCRIPT", b"FLUSH"]).await;
    assert_eq!(stage.write(at(5000), &[results(6000), results(7000)]).await, [WRITTEN, WRITTEN]);
}

#[tokio::test]
async fn a_lease_is_one_workers_until_it_runs_out_or_is_given_back() {
    let mut stage = Stage::set().await;
    let (connection, keys) = (&mut stage.connection, keys());
    let Taking::Elsewhere(left) = Lease::take(connection, &keys.lease(), &keys.lease_tokens(), "other").await.unwrap()
    else {
        panic!()
    };
    assert!((1..=3000).contains(&left.expect("it runs out").as_millis()), "{left:?}");
    stage.lease.release(connection, &keys, b"", "").await.unwrap();
    let mut lease = taken(Lease::take(connection, &keys.lease(), &keys.lease_tokens(), "other").await.unwrap());
    let token: &Token = lease.token();
    assert_eq!(token.as_str(), "2:other");
    let left: i64 = redis::cmd("PTTL").arg(keys.lease()).query_async(connection).await.unwrap();
    assert!((1..=3000).contains(&left), "{left}");
    tokio::time::sleep(eddyline_worker::store::lease::RENEWAL).await;
    assert!(lease.keep(connection, &keys.lease()).await.unwrap());
    redis::cmd("SET").arg(keys.lease()).arg("3:third").exec_async(connection).await.unwrap();
    tokio::time::sleep(eddyline_worker::store::lease::RENEWAL).await;
    assert!(!lease.keep(connection, &keys.lease()).await.unwrap());
}
