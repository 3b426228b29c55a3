//! How the module behaves among clients: what `COMMAND` tells of it, both protocols, keyspace events.

mod support;

use eddyline_testkit::{Server, eventually};
use eddyline_wire::command::grammar::{Argument, Kind};
use eddyline_wire::command::table::COMMANDS;
use redis::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread;
use support::{SOON, call, server, try_call};

/// Maps and arrays of pairs alike, as text.
fn shown(value: &Value) -> String {
    let all = |values: &[Value]| values.iter().map(shown).collect::<Vec<_>>().join(" ");
    match value {
        Value::Int(number) => number.to_string(),
        Value::BulkString(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::SimpleString(text) => text.clone(),
        Value::Array(values) | Value::Set(values) => format!("[{}]", all(values)),
        Value::Map(pairs) => {
            let pairs: Vec<Value> = pairs.iter().flat_map(|(name, value)| [name.clone(), value.clone()]).collect();
            format!("[{}]", all(&pairs))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn command_docs_and_info_tell_all_about_each_command() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for command in COMMANDS {
        let docs = shown(&call(&mut redis, &format!("COMMAND DOCS {}", command.name)));
        for part in ["since 0.1.0", command.summary, command.complexity, "module eddyline"] {
            assert!(docs.contains(part), "{docs}");
        }
        assert_eq!(docs.contains(" arguments ["), !command.arguments.is_empty(), "{docs}");
        let info = shown(&call(&mut redis, &format!("COMMAND INFO {}", command.name)));
        assert!(info.contains(&format!(" {} [", command.arity)), "{info}");
        for word in command.tips.split_whitespace() {
            assert!(info.contains(word), "{info}");
        }
        let flags = command.flags.replace("deny-oom", "denyoom");
        assert!(flags.split(' ').all(|flag| info.contains(flag)), "{info}");
    }
}

/// An argument as the wire's grammar has it.
fn spelled(argument: &Argument) -> String {
    let (kind, below): (_, &[Argument]) = match &argument.kind {
        Kind::Key => ("key", &[]),
        Kind::Integer => ("integer", &[]),
        Kind::Double => ("double", &[]),
        Kind::Text => ("string", &[]),
        Kind::Token => ("pure-token", &[]),
        Kind::OneOf(of) => ("oneof", of),
        Kind::Block(of) => ("block", of),
    };
    let flags = [(argument.optional, "optional"), (argument.multiple, "multiple")];
    let flags: Vec<&str> = flags.into_iter().filter(|(set, _)| *set).map(|(_, flag)| flag).collect();
    let token = argument.token.as_deref().unwrap_or_default();
    let below: Vec<String> = below.iter().map(spelled).collect();
    format!("{token} {} {kind} {flags:?} ({})", argument.name, below.join(", "))
}

/// The same of what the server tells.
fn told(argument: Value) -> String {
    let parts = pairs(argument);
    let text = |name: &str| parts.get(name).map(shown).unwrap_or_default();
    let list = |name: &str| parts.get(name).cloned().map(items).unwrap_or_default();
    let flags: Vec<String> = list("flags").iter().map(shown).collect();
    let below: Vec<String> = list("arguments").into_iter().map(told).collect();
    format!("{} {} {} {flags:?} ({})", text("token"), text("name"), text("type"), below.join(", "))
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        other => panic!("no list: {other:?}"),
    }
}

fn pairs(value: Value) -> BTreeMap<String, Value> {
    value.into_map_iter().expect("a map").map(|(name, value)| (shown(&name), value)).collect()
}

#[test]
fn command_docs_show_the_grammar_that_help_prints() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for command in COMMANDS {
        let docs: Value = call(&mut redis, &format!("COMMAND DOCS {}", command.name));
        let mut docs = pairs(items(docs).remove(1));
        let arguments = docs.remove("arguments").map(items).unwrap_or_default();
        let told: Vec<String> = arguments.into_iter().map(told).collect();
        let spelled: Vec<String> = command.tree().unwrap().iter().map(spelled).collect();
        assert_eq!(told, spelled, "{}", command.name);
    }
}

#[test]
fn every_key_of_a_command_is_found() {
    let server = server();
    let mut redis = server.connection().unwrap();
    for (line, keys) in [
        ("EDDY.CREATE m SOURCES 2 a b WINDOW 1000", &["m RW update", "a RO access", "b RO access"][..]),
        ("EDDY.ALTER m SOURCES 1 a FROM 0", &["m RW update", "a RO access"]),
        ("EDDY.OBSERVE m service pay", &["m RW update"]),
        ("EDDY.TOP m service 3", &["m RO access"]),
        ("EDDY.READ m a 5-1", &["m RW update", "a RO access"]),
    ] {
        let found: Vec<Value> = call(&mut redis, &format!("COMMAND GETKEYSANDFLAGS {line}"));
        let found: Vec<String> = found.iter().map(|key| shown(key).replace(['[', ']'], "")).collect();
        assert_eq!(found, keys, "{line}");
    }
}

#[test]
fn our_category_holds_every_command_but_the_internal_ones() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let own = try_call::<()>(&mut redis, "ACL SETUSER ann on nopass ~* +@eddy").is_ok();
    for command in COMMANDS {
        let info = shown(&call(&mut redis, &format!("COMMAND INFO {}", command.name)));
        if own {
            let (categories, rest) = info.split_once('@').map_or((String::new(), ""), |(_, rest)| {
                let list = rest.split(']').next().unwrap_or_default();
                (list.replace('@', ""), rest)
            });
            let mut told: Vec<&str> = categories.split(' ').collect();
            let mut expected: Vec<&str> = command.categories().collect();
            told.sort_unstable();
            expected.sort_unstable();
            assert_eq!(told, expected, "{}: {rest}", command.name);
        }
        if command.internal {
            // where modules have no categories, the flag alone keeps a command from `+@all -@dangerous`
            assert!(info.contains("admin"), "{info}");
        }
    }
}

/// What the server sends for one command line, byte by byte.
struct Raw(UnixStream);

impl Raw {
    fn to(server: &Server) -> Self {
        let path = server.url().replace("redis+unix://", "");
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        Self(stream)
    }

    fn ask(&mut self, line: &str) -> String {
        const END: &str = "$7\r\nthe-end\r\n";
        let marked = format!("{line}\r\nPING the-end\r\n");
        self.0.write_all(marked.as_bytes()).unwrap();
        let (mut reply, mut buffer) = (String::new(), [0; 4096]);
        while !reply.ends_with(END) {
            let n = self.0.read(&mut buffer).unwrap();
            assert!(n > 0, "the server closed the connection");
            reply.push_str(&String::from_utf8_lossy(&buffer[..n]));
        }
        reply
    }
}

#[test]
fn both_protocols_get_their_own_shapes() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service MEASURES 1 ms");
    call::<()>(&mut redis, "EDDY.CREATE learning CLOCK stream WINDOW 1000");
    call::<i64>(&mut redis, "EDDY.CLOSE m 5000");
    call::<i64>(&mut redis, "EDDY.OBSERVE m service pay");
    call::<i64>(&mut redis, "EDDY.CLOSE m 6000");
    let cases = [
        ("EDDY.CREATE m NX", "$-1\r\n", "_\r\n"),
        ("EDDY.CREATE n DIMENSIONS 1 a DRYRUN", "*10\r\n", "%5\r\n"),
        ("EDDY.CREATE n DRYRUN", "\r\n$13\r\nmonitor_bytes\r\n$-1\r\n", "\r\n$13\r\nmonitor_bytes\r\n_\r\n"),
        ("EDDY.CREATE o CLOCK stream DIMENSIONS 1 a", "+OK\r\n", "+OK\r\n"),
        ("EDDY.OBSERVE m service pay", ":1\r\n", ":2\r\n"),
        ("EDDY.MOBSERVE m 1 service pay cart", ":4\r\n", ":6\r\n"),
        ("EDDY.COUNT m service pay", "*1\r\n*3\r\n:4\r\n:1\r\n$1\r\n1\r\n", "*1\r\n*3\r\n:4\r\n:1\r\n,1\r\n"),
        (
            "EDDY.TOP m service 1",
            "*4\r\n$4\r\nlast\r\n*1\r\n*2\r\n$3\r\npay\r\n:1\r\n",
            "%2\r\n$4\r\nlast\r\n*1\r\n*2\r\n",
        ),
        ("EDDY.QUANTILE m ms 0.5", "*1\r\n$-1\r\n", "*1\r\n_\r\n"),
        ("EDDY.FINGERPRINT learning", "$-1\r\n", "_\r\n"),
        ("EDDY.FINGERPRINT m ID 7000-0", "$-1\r\n", "_\r\n"),
        ("EDDY.FINGERPRINT m", "$5\r\ncount\r\n$1\r\n1\r\n", "$5\r\ncount\r\n,1\r\n"),
        ("EDDY.FINGERPRINT m", "$6\r\nms:p50\r\n$-1\r\n", "$6\r\nms:p50\r\n_\r\n"),
        ("EDDY.SCHEMA m", "*6\r\n$8\r\nfeatures\r\n*", "%3\r\n$8\r\nfeatures\r\n*"),
        ("EDDY.SCHEMA learning", "$-1\r\n", "_\r\n"),
        ("EDDY.INFO m", "$8\r\nleft_out\r\n*2\r\n$9\r\nms:absent\r\n:", "$8\r\nleft_out\r\n%1\r\n$9\r\nms:absent\r\n:"),
        ("EDDY.INFO learning", "$6\r\nschema\r\n$-1\r\n", "$6\r\nschema\r\n_\r\n"),
        ("EDDY.ALTER m RETENTION 500", "+OK\r\n", "+OK\r\n"),
        ("EDDY.LIST", "*3\r\n$8\r\nlearning\r\n", "*3\r\n$8\r\nlearning\r\n"),
        ("EDDY.HELP", "*", "*"),
        ("EDDY.RESET learning", "+OK\r\n", "+OK\r\n"),
        ("EDDY.CLOSE m 6000", ":0\r\n", ":0\r\n"),
        ("EDDY.SENT m 1000", "+OK\r\n", "+OK\r\n"),
        ("EDDY.INFO nobody", "-ERR no such monitor", "-ERR no such monitor"),
    ];
    let (mut second, mut third) = (Raw::to(&server), Raw::to(&server));
    assert!(third.ask("HELLO 3").starts_with('%'));
    for (line, of_second, of_third) in cases {
        if line.starts_with("EDDY.CREATE o") {
            call::<()>(&mut redis, "DEL o");
        }
        let reply = second.ask(line);
        assert!(reply.contains(of_second), "RESP2 {line}: {reply:?}");
        if line.starts_with("EDDY.CREATE o") {
            call::<()>(&mut redis, "DEL o");
        }
        let reply = third.ask(line);
        assert!(reply.contains(of_third), "RESP3 {line}: {reply:?}");
    }
}

#[test]
fn help_tells_every_command_but_the_internal_ones() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let help: Vec<String> = call(&mut redis, "EDDY.HELP");
    for command in COMMANDS {
        let line = format!("{} {}", command.name, command.arguments);
        assert_eq!(help.iter().any(|told| told == line.trim_end()), !command.internal, "{}", command.name);
    }
    assert!(help.iter().all(|line| !line.contains(['\r', '\n'])));
}

/// Our events as a client hears them: name, key.
fn heard(server: &Server) -> mpsc::Receiver<String> {
    let mut redis = server.connection().unwrap();
    call::<()>(&mut redis, "CONFIG SET notify-keyspace-events Kg");
    let (sender, heard) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let mut subscription = redis.as_pubsub();
        subscription.psubscribe("__keyspace@*__:*").unwrap();
        ready.send(()).unwrap();
        while let Ok(message) = subscription.get_message() {
            let event: String = message.get_payload().unwrap();
            let key = message.get_channel_name().split_once(':').map(|(_, key)| key.to_owned());
            if event.starts_with("eddy.") && sender.send(format!("{event} {}", key.unwrap_or_default())).is_err() {
                return;
            }
        }
    });
    is_ready.recv_timeout(SOON).unwrap();
    heard
}

#[test]
fn keyspace_events_tell_of_monitors_alike_on_primary_and_replica() {
    let primary = Server::with_module().tcp().start().unwrap();
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    let mut redis = primary.connection().unwrap();
    let mut on_replica = replica.connection().unwrap();
    eventually(SOON, || call::<String>(&mut on_replica, "INFO replication").contains("master_link_status:up"));
    let listeners = [heard(&primary), heard(&replica)];
    for line in [
        "EDDY.CREATE m CLOCK stream WINDOW 1000 DIMENSIONS 1 service",
        "EDDY.CREATE m NX",
        "EDDY.CREATE other DRYRUN",
        "EDDY.CLOSE m 5000",
        "EDDY.OBSERVE m service pay",
        "EDDY.MOBSERVE m 1 service pay cart",
        "EDDY.CLOSE m 6000",
        "EDDY.CLOSE m 6000",
        "EDDY.CREATE sourced SOURCES 1 metrics CLOCK stream WINDOW 1000 DIMENSIONS 1 service",
        "XADD metrics 5000-1 service pay",
        "XADD metrics 5500-1 service pay",
        "XADD metrics 6000-1 service pay",
        "EDDY.ALTER m RETENTION 500",
        "EDDY.RESET m",
    ] {
        call::<Value>(&mut redis, line);
    }
    let events =
        ["eddy.create m", "eddy.close m", "eddy.create sourced", "eddy.close sourced", "eddy.alter m", "eddy.reset m"];
    for heard in listeners {
        for event in events {
            assert_eq!(heard.recv_timeout(SOON).as_deref(), Ok(event));
        }
        assert!(heard.try_recv().is_err());
    }
}
