//! What RedisBloom replied, byte for byte, and what this module replies to the same lines.
//!
//! `transcript.txt` was recorded from RedisBloom in redis-server 7.0.15, over RESP2 and then RESP3.

use super::{dump, restore, support};
use eddyline_testkit::Server;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use support::{call, server};

const TRANSCRIPT: &str = include_str!("transcript.txt");
/// The server of the recording; others differ in the lines that say more about the server than about the module.
const RECORDED_ON: &str = "redis_version:7.0.";

/// A client that sees the bytes.
struct Raw {
    stream: UnixStream,
    sent: usize,
}

impl Raw {
    fn to(server: &Server) -> Self {
        let path = server.url().strip_prefix("redis+unix://").expect("a socket").to_owned();
        let stream = UnixStream::connect(path).expect("the server listens");
        stream.set_read_timeout(Some(support::SOON)).expect("a timeout");
        Self { stream, sent: 0 }
    }

    /// The reply to a line: all that comes before the reply to what is sent behind it.
    fn ask(&mut self, line: &str) -> Vec<u8> {
        self.sent += 1;
        let end = format!("end-{:06}", self.sent);
        for line in [line, &format!("ECHO {end}")] {
            let words: Vec<&str> = line.split(' ').collect();
            let mut request = format!("*{}\r\n", words.len());
            for word in words {
                request += &format!("${}\r\n{word}\r\n", word.len());
            }
            self.stream.write_all(request.as_bytes()).expect("the server reads");
        }
        let end = format!("$10\r\n{end}\r\n").into_bytes();
        let mut reply = Vec::new();
        let mut part = [0; 4096];
        while !reply.ends_with(&end) {
            let read = self.stream.read(&mut part).expect("the server answers");
            assert!(read > 0, "{line}: the server hung up");
            reply.extend(&part[..read]);
        }
        reply.truncate(reply.len() - end.len());
        reply
    }
}

/// The bytes that an escaped line stands for.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        (bytes, rest) = match (first, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("hexadecimal");
                bytes.push(u8::from_str_radix(digits, 16).expect("hexadecimal"));
                (bytes, after)
            }
            (b'\\', [letter, after @ ..]) => {
                bytes.push(match letter {
                    b'r' => b'\r',
                    b'n' => b'\n',
                    b't' => b'\t',
                    other => *other,
                });
                (bytes, after)
            }
            (byte, after) => {
                bytes.push(*byte);
                (bytes, after)
            }
        };
    }
    bytes
}

/// Lines of one protocol: the command, and the reply's bytes.
fn lines(protocol: &str) -> Vec<(&'static str, Vec<u8>)> {
    let part = TRANSCRIPT.split("### ").find_map(|part| part.strip_prefix(protocol)).expect("the protocol's lines");
    let lines = part.lines().filter_map(|line| line.split_once(" => "));
    lines.map(|(line, reply)| (line, unescape(reply))).collect()
}

fn recorded(line: &str) -> Vec<u8> {
    lines("RESP2").into_iter().find(|(recorded, _)| *recorded == line).expect("a recorded line").1
}

/// What must differ, and why.
fn expected(line: &str, recorded: Vec<u8>, same_server: bool) -> Option<Vec<u8>> {
    match line {
        // Copying a sketch works here.
        "COPY k kk" => Some(b":1\r\n".to_vec()),
        // RedisBloom doesn't tell access control which keys are read and changed, nor that MERGE has sources.
        line if line.starts_with("COMMAND INFO") => same_server.then(|| with_rights(&recorded)),
        // The trailer and the sizes are the server's.
        line if line.starts_with("DUMP") || line.starts_with("MEMORY") => same_server.then_some(recorded),
        _ => Some(recorded),
    }
}

fn with_rights(recorded: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(recorded.to_vec()).expect("text");
    let mut commands: Vec<String> = text.split("*10\r\n").map(str::to_owned).collect();
    for command in &mut commands {
        let reads_too = command.contains("cms.incrby");
        let flags = if reads_too { "*3\r\n+RW\r\n+access\r\n+update\r\n" } else { "*2\r\n+RW\r\n+update\r\n" };
        *command = command.replace("*1\r\n+RW\r\n", flags).replace("*1\r\n+RO\r\n", "*2\r\n+RO\r\n+access\r\n");
        if command.contains("cms.merge") {
            let sources = "*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n\
                $12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:2\r\n\
                $9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$6\r\nkeynum\r\n$4\r\nspec\r\n\
                *6\r\n$9\r\nkeynumidx\r\n:0\r\n$8\r\nfirstkey\r\n:1\r\n$7\r\nkeystep\r\n:1\r\n*0\r\n";
            // One more in the list of keys, which is the last but one; so keys aren't where first, last and step say.
            let body = command.strip_suffix("*0\r\n").expect("no subcommands").replace("*1\r\n*6\r\n", "*2\r\n*6\r\n");
            let body = body.replace(
                "*3\r\n+write\r\n+denyoom\r\n+module\r\n",
                "*4\r\n+write\r\n+denyoom\r\n+module\r\n+movablekeys\r\n",
            );
            *command = body + sources;
        }
    }
    commands.join("*10\r\n").into_bytes()
}

#[test]
fn every_recorded_line_is_answered_alike() {
    let server = server();
    let mut raw = Raw::to(&server);
    raw.ask("SET str text");
    let same_server = String::from_utf8_lossy(&raw.ask("INFO server")).contains(RECORDED_ON);
    let mut compared = 0;
    for (protocol, hello) in [("RESP2", "HELLO 2"), ("RESP3", "HELLO 3")] {
        raw.ask(hello);
        for (line, recorded) in lines(protocol) {
            let reply = raw.ask(line);
            let Some(expected) = expected(line, recorded, same_server) else { continue };
            let [reply, expected] = [reply, expected].map(|bytes| bytes.escape_ascii().to_string());
            assert_eq!(reply, expected, "{line}");
            compared += 1;
        }
    }
    assert!(compared >= if same_server { 112 } else { 109 }, "{compared} lines");
}

#[test]
fn dumps_of_the_original_are_restored_and_dumped_alike() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let reply = recorded("DUMP m1");
    let payload = reply.strip_prefix(b"$65\r\n").and_then(|reply| reply.strip_suffix(b"\r\n")).expect("65 bytes");
    restore(&mut redis, "m", payload).unwrap();
    assert_eq!(call::<Vec<i64>>(&mut redis, "CMS.QUERY m x y"), [7, 0]);
    assert_eq!(call::<Vec<redis::Value>>(&mut redis, "CMS.INFO m")[5], redis::Value::Int(7));
    let same_server = call::<String>(&mut redis, "INFO server").contains(RECORDED_ON);
    // Behind the value: two bytes of the server's version and eight of its checksum.
    let compared = if same_server { payload.len() } else { payload.len() - 10 };
    assert_eq!(dump(&mut redis, "m")[..compared], payload[..compared]);
}

#[test]
fn sketches_may_have_any_name_and_order_of_keys() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for key in [&b""[..], b"weights", b"\xff\x00"] {
        super::send::<String>(&mut redis, &[b"CMS.INITBYDIM", key, b"10", b"2"]).unwrap();
        super::send::<Vec<i64>>(&mut redis, &[b"CMS.INCRBY", key, b"", b"2"]).unwrap();
    }
    super::send::<String>(&mut redis, &[b"CMS.MERGE", b"", b"3", b"weights", b"\xff\x00", b"weights"]).unwrap();
    assert_eq!(super::send::<Vec<i64>>(&mut redis, &[b"CMS.QUERY", b"", b""]).unwrap(), [6]);
    // More arguments than fit the usual place.
    let items: Vec<String> = (0..300).map(|item| format!("{item} 1")).collect();
    let counted: Vec<i64> = call(&mut redis, &format!("CMS.INCRBY weights {}", items.join(" ")));
    assert_eq!(counted.len(), 300);
    let more: Vec<i64> = call(&mut redis, &format!("CMS.QUERY weights {}", "7 ".repeat(300).trim_end()));
    assert_eq!(more.len(), 300);
}

#[test]
fn clients_may_not_ask_for_more_than_a_gibibyte() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for line in
        ["CMS.INITBYDIM big 9223372036854775807 1", "CMS.INITBYDIM big 268435457 1", "CMS.INITBYPROB big 1e-15 0.5"]
    {
        let error = support::try_call::<String>(&mut redis, line).unwrap_err();
        assert!(error.contains("Insufficient memory to create the key"), "{line}: {error}");
    }
    assert_eq!(call::<i64>(&mut redis, "EXISTS big"), 0);
}
