//! Whatever comes, it is refused, memory stays bounded and the others are served.

use crate::stage::{Answer, Gateway, observations, packed, server_with};
use std::io::Write;
use std::net::TcpStream;

const PATH: &str = "/v1/events?monitor=checkout";
const MOST: u64 = 400 << 20;

fn still_serves(gateway: &Gateway) {
    assert_eq!(gateway.post(PATH, r#"{"status":1}"#).status, 202);
    assert!(gateway.resident_bytes() < MOST, "{} bytes", gateway.resident_bytes());
}

/// The status of the answer to these bytes; none where the connection is cut without one.
fn raw(gateway: &Gateway, bytes: &[u8]) -> Option<u16> {
    let mut stream = gateway.connect();
    let _ = stream.write_all(bytes);
    Answer::read(stream).ok().map(|answer| answer.status)
}

#[test]
fn bodies_that_are_too_large_are_refused_before_they_come() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let mut stream = gateway.connect();
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", 100 << 20);
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(Answer::read(stream).unwrap().error(), (413, "body_too_large".into()), "nothing of it was sent");

    let mut stream = gateway.connect();
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    let sent = (0..1600).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!(sent < 1600, "100 MB were taken");
    still_serves(&gateway);
}

#[test]
fn a_bomb_unpacks_to_no_more_than_a_body_may_have() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let bomb = packed(&vec![b' '; 200 << 20]);
    let twice = packed(&bomb);
    for _ in 0..3 {
        let answer = gateway.ask("POST", PATH, &[("content-encoding", "gzip")], &bomb);
        assert_eq!(answer.error(), (413, "body_too_large".into()));
    }
    assert_eq!(gateway.ask("POST", PATH, &[("content-encoding", "gzip")], &twice).error().0, 400);
    assert_eq!(gateway.ask("POST", PATH, &[("content-encoding", "gzip, gzip")], &twice).error().0, 415);
    still_serves(&gateway);
}

#[test]
fn json_that_is_deep_broken_or_no_text_is_refused() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    for body in [
        "[".repeat(4 << 20).into_bytes(),
        "{\"a\":".repeat(1 << 20).into_bytes(),
        b"{\"a\":\"\xff\xfe\"}".to_vec(),
        b"\xff\xfe{\0}\0".to_vec(),
        b"{\"a\":\"\\ud800\"}".to_vec(),
        b"{\"a\":1e999999}".to_vec(),
        vec![0; 1 << 20],
    ] {
        let answer = gateway.ask("POST", PATH, &[], &body);
        assert_eq!(answer.error(), (400, "invalid_body".into()), "{:?}", &body[..8]);
    }
    let tiny = format!("[{}1]", "1,".repeat(4_000_000 - 1));
    let answer = gateway.post(PATH, &tiny);
    assert_eq!((answer.status, answer.json()["rejected"].as_u64()), (207, Some(4_000_000)));
    still_serves(&gateway);
    assert_eq!(observations(&server, "checkout"), 1);
}

#[test]
fn heads_that_are_no_heads_are_refused() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let refused = |bytes: &[u8]| {
        let status = raw(&gateway, bytes);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{status:?}");
    };
    refused(b"\0\0\0\0\r\n\r\n");
    refused(b"GET / HTTP/9.9\r\n\r\n");
    refused(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n");
    refused(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab");
    refused(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n");
    refused(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n");
    let flood = (0..10_000).map(|i| format!("x-{i}: {i}\r\n")).collect::<String>();
    refused(format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{flood}\r\n").as_bytes());
    refused(format!("GET /livez HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(1 << 20)).as_bytes());
    refused(format!("GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n", "y".repeat(1 << 20)).as_bytes());
    still_serves(&gateway);
}

#[test]
fn clients_that_are_slow_keep_nobody_else_waiting() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 12\r\n\r\n{{");
    let slow: Vec<TcpStream> = (0..400)
        .map(|i| {
            let mut stream = gateway.connect();
            stream.write_all(&head.as_bytes()[..if i % 2 == 0 { 20 } else { head.len() }]).unwrap();
            stream
        })
        .collect();
    still_serves(&gateway);
    drop(slow);
    still_serves(&gateway);
}
