//! Redis is killed and started again while many send: what was accepted is counted once, and nothing else.

use crate::stage::{Gateway, create, info, observations};
use eddyline_testkit::Server;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const SENDERS: u64 = 8;
const BATCH: u64 = 100;

/// Of all senders. A million with `EDDYLINE_EVENTS=1000000`.
fn events() -> u64 {
    std::env::var("EDDYLINE_EVENTS").ok().map_or(100_000, |text| text.parse().unwrap())
}

/// What became of what was sent, in events.
#[derive(Debug, Default)]
struct Sent {
    accepted: AtomicU64,
    unknown: AtomicU64,
}

/// Sends until all of it was accepted or its outcome is unknown; with keys, until all of it was accepted.
fn storm(has_keys: bool) -> (Sent, Server) {
    // By default Redis answers before it writes while the disk is slow, and a kill loses what was answered.
    let mut server = Server::with_module().args(["--appendonly", "yes", "--appendfsync", "always"]).start().unwrap();
    create(&server, &["checkout"]);
    let gateway = Gateway::before(&server);
    let (sent, done) = (Sent::default(), AtomicBool::new(false));
    let batches = events() / SENDERS / BATCH;
    thread::scope(|scope| {
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (gateway, sent) = (&gateway, &sent);
                scope.spawn(move || {
                    for batch in 0..batches {
                        send(gateway, sent, has_keys.then(|| format!("{sender}-{batch}")));
                    }
                })
            })
            .collect();
        let (server, done) = (&mut server, &done);
        let killer = scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(300));
                server.kill().unwrap();
                server.start().unwrap();
                thread::sleep(Duration::from_millis(300));
            }
        });
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        done.store(true, Ordering::Relaxed);
        killer.join().unwrap();
    });
    assert!(gateway.resident_bytes() < 300 << 20, "{} bytes", gateway.resident_bytes());
    (sent, server)
}

fn send(gateway: &Gateway, sent: &Sent, key: Option<String>) {
    let body = format!("[{}]", vec![r#"{"endpoint":"/charge","status":200,"ms":12}"#; BATCH as usize].join(","));
    let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", key.as_str())).collect();
    loop {
        let answer = gateway.ask("POST", "/v1/events?monitor=checkout", &headers, body.as_bytes());
        if answer.status == 202 {
            sent.accepted.fetch_add(BATCH, Ordering::Relaxed);
            return;
        }
        let (status, code) = answer.error();
        assert!([429, 503].contains(&status), "{answer:?}");
        if code == "unknown_outcome" && key.is_none() {
            sent.unknown.fetch_add(BATCH, Ordering::Relaxed);
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_was_accepted_is_counted_once_and_what_may_have_been_was_said() {
    let (sent, server) = storm(false);
    let (accepted, unknown) = (sent.accepted.into_inner(), sent.unknown.into_inner());
    let counted = observations(&server, "checkout");
    assert_eq!(accepted + unknown, events());
    assert!((accepted..=accepted + unknown).contains(&counted), "{accepted} + {unknown}: {counted}");
    assert_eq!(info(&server, "checkout", "open_observations"), counted);
}

#[test]
fn what_is_sent_again_with_its_key_is_counted_once_whatever_was_lost() {
    let (sent, server) = storm(true);
    assert_eq!((sent.accepted.into_inner(), observations(&server, "checkout")), (events(), events()));
}
