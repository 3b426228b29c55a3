//! Vectors that are posted one by one.

use crate::stage::{Answer, Gateway, SOON, server_with};
use eddyline_testkit::{Cluster, Server, eventually};
use redis::{Commands, Connection};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const ORDERS: &str = "/v1/monitors/orders/vectors";
const JSON: (&str, &str) = ("content-type", "application/json");

fn with_key(gateway: &Gateway, key: &str, body: &Json) -> Answer {
    gateway.ask("POST", ORDERS, &[JSON, ("idempotency-key", key)], body.to_string().as_bytes())
}

fn settings(redis: &mut Connection, monitor: &str) -> BTreeMap<String, String> {
    redis.hgetall(format!("{{{monitor}}}:settings")).unwrap()
}

/// Ids and fields.
fn vectors(redis: &mut Connection, monitor: &str) -> Vec<(String, Vec<(String, String)>)> {
    redis::cmd("XRANGE").arg(format!("{{{monitor}}}:fingerprints")).arg("-").arg("+").query(redis).unwrap()
}

#[test]
fn a_vector_is_what_an_sdk_leaves_over_redis() {
    for server in [Server::plain().start().unwrap(), Server::with_module().start().unwrap()] {
        let gateway = Gateway::before(&server);
        let mut redis = server.connection().unwrap();
        let mut listener = server.connection().unwrap();
        let mut heard = listener.as_pubsub();
        heard.subscribe("eddyline:closed").unwrap();
        heard.set_read_timeout(Some(SOON)).unwrap();
        let first = gateway.post(
            ORDERS,
            r#"{"values":{"value":42.0,"b":-1.5},"period_ms":1000,"expect":{"value":"10..500.50","b":"..0"}}"#,
        );
        let second = gateway.post(ORDERS, r#"{"values":{"value":7},"period_ms":60000,"expect":{"value":"..600"}}"#);
        assert_eq!([first.status, second.status], [202, 202], "{first:?} {second:?}");
        assert_eq!(heard.get_message().unwrap().get_payload::<String>().unwrap(), "orders");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let id = |answer: &Answer| answer.json()["id"].as_str().unwrap().to_owned();
        let told =
            [(id(&first), vec![pair("b", "-1.5"), pair("value", "42")]), (id(&second), vec![pair("value", "7")])];
        assert_eq!(vectors(&mut redis, "orders"), told);
        let chosen =
            BTreeMap::from([pair("period_ms", "1000"), pair("expect:value", "..600"), pair("expect:b", "..0")]);
        assert_eq!(
            settings(&mut redis, "orders"),
            chosen,
            "the period that was chosen first, the range that was said last"
        );
        assert_eq!(gateway.post("/v1/monitors/a%20b%2F%C3%BC/vectors", r#"{"values":{"value":1}}"#).status, 202);
        assert_eq!(settings(&mut redis, "a b/ü")["period_ms"], "60000");
        let monitor = gateway.ask("GET", "/v1/monitors/orders", &[], b"").json();
        assert_eq!((&monitor["kind"], &monitor["window_ms"]), (&json!("vectors"), &json!(1000)), "{monitor}");
    }
}

#[test]
fn one_with_its_own_key_is_added_once() {
    let server = Server::plain().start().unwrap();
    let gateways = [Gateway::before(&server), Gateway::before(&server)];
    let mut redis = server.connection().unwrap();
    let body = json!({ "values": { "value": 42 }, "expect": { "value": "10.." } });
    let answers: Vec<Json> = gateways.iter().cycle().take(4).map(|it| with_key(it, "a-1", &body).json()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer["id"].is_string()), "{answers:?}");
    assert_eq!(vectors(&mut redis, "orders").len(), 1);
    let other = json!({ "values": { "value": 43 } });
    assert_eq!(with_key(&gateways[0], "a-1", &other).error(), (422, "idempotency_mismatch".into()));
    assert_eq!(with_key(&gateways[0], "a-2", &other).status, 202);
    assert_eq!(gateways[0].post(ORDERS, &other.to_string()).status, 202, "without a key it is another one");
    assert_eq!(vectors(&mut redis, "orders").len(), 3);
    let memories = ["requests:0", "requests:1", "sendings:0", "sendings:1"];
    let left = memories.map(|key| redis.pttl::<_, i64>(format!("{{orders}}:{key}")).unwrap());
    assert!(left.iter().all(|left| *left != -1), "all of it goes by itself: {left:?}");
    assert!(left[..2].iter().any(|left| (600_000..=1_200_000).contains(left)), "{left:?}");
}

#[test]
fn what_is_no_vector_is_refused_and_leaves_nothing() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::before(&server);
    for (body, code, why) in [
        ("5", "invalid_body", "expected struct NewVector"),
        (r#"{"values":{"value":"42"}}"#, "invalid_body", "expected f64"),
        (r#"{"values":{}}"#, "invalid_parameter", "values: "),
        (r#"{"values":{"value":1},"period_ms":5}"#, "invalid_parameter", "period_ms: "),
        (r#"{"values":{"value":1},"expect":{"value":"5..1"}}"#, "invalid_parameter", "expect.value: "),
        (r#"{"values":{"value":1},"expect":{"other":"1.."}}"#, "invalid_parameter", "expect.other: "),
    ] {
        let answer = gateway.post(ORDERS, body);
        assert_eq!(answer.error(), (400, code.to_owned()), "{body}");
        assert!(answer.json()["message"].as_str().unwrap().contains(why), "{answer:?}");
    }
    let good = r#"{"values":{"value":1}}"#;
    assert_eq!(gateway.post("/v1/monitors/%7Ba%7D/vectors", good).error(), (400, "invalid_parameter".into()));
    let long = "x".repeat(129);
    let ask = |headers: &[_], body: &[u8]| gateway.ask("POST", ORDERS, headers, body).error();
    assert_eq!(ask(&[("content-type", "text/csv")], good.as_bytes()), (415, "unsupported_media".into()));
    assert_eq!(ask(&[JSON, ("idempotency-key", &long)], good.as_bytes()).1, "invalid_parameter");
    let large = format!(r#"{{"values":{{"{}":1}}}}"#, "x".repeat(70_000));
    assert_eq!(ask(&[JSON], large.as_bytes()), (413, "body_too_large".into()));
    assert_eq!(gateway.ask("GET", ORDERS, &[], b"").error(), (405, "method_not_allowed".into()));
    let keys: u64 = redis::cmd("DBSIZE").query(&mut server.connection().unwrap()).unwrap();
    assert_eq!(keys, 0);
}

#[test]
fn a_name_that_is_another_kind_of_monitor_takes_no_vectors() {
    let server = server_with(&["shop"]);
    let gateway = Gateway::before(&server);
    let mut redis = server.connection().unwrap();
    // A stream of this name is none of ours: others read sources that are called so.
    redis::cmd("XADD").arg(&["orders", "*", "a", "1"]).exec(&mut redis).unwrap();
    let post = |name: &str, body: &str| gateway.post(&format!("/v1/monitors/{name}/vectors"), body);
    let good = r#"{"values":{"value":1},"expect":{"value":"0.."}}"#;
    assert_eq!(post("orders", good).status, 202);
    redis.hset::<_, _, _, ()>("{counted}:counting", "a", 1).unwrap();
    redis.hset::<_, _, _, ()>("{pay/a}:gathering", "a", 1).unwrap();
    redis.set::<_, _, ()>("{text}:fingerprints", "hello").unwrap();
    redis.set::<_, _, ()>("{other}:settings", "hello").unwrap();
    let fields: Vec<(String, u32)> = (0..256).map(|i| (format!("expect:f{i}"), 1)).collect();
    redis.hset_multiple::<_, _, _, ()>("{full}:settings", &fields).unwrap();
    for (name, why) in [
        ("shop", "the module counts"),
        ("counted", "a worker counts"),
        ("pay%2Fa", "samples of metrics"),
        ("text", "something of another type"),
        ("other", "something of another type"),
        ("full", "as many fields as they may"),
    ] {
        let answer = post(name, good);
        assert_eq!(answer.error(), (409, "conflict".to_owned()), "{name}");
        assert!(answer.json()["message"].as_str().unwrap().contains(why), "{answer:?}");
    }
    for name in ["shop", "counted", "pay/a", "text"] {
        assert_eq!(settings(&mut redis, name), BTreeMap::new(), "{name}");
    }
    assert_eq!(post("full", r#"{"values":{"value":1}}"#).status, 202, "a vector that chooses nothing");
    assert_eq!(
        post("full", r#"{"values":{"f7":1},"expect":{"f7":"0.."}}"#).status,
        202,
        "a range that is there already"
    );
    assert_eq!(vectors(&mut redis, "shop"), []);
}

#[test]
fn a_redis_that_is_gone_or_has_no_room_is_told() {
    let mut server = Server::plain().args(["--appendonly", "yes"]).start().unwrap();
    let gateway = Gateway::before(&server);
    let post = || gateway.post(ORDERS, r#"{"values":{"value":1}}"#);
    let mut redis = server.connection().unwrap();
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "1"]).exec(&mut redis).unwrap();
    let full = post();
    assert_eq!(full.error(), (503, "redis_refuses".into()));
    assert!(full.headers.contains_key("retry-after"), "{full:?}");
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).exec(&mut redis).unwrap();
    assert_eq!((settings(&mut redis, "orders"), vectors(&mut redis, "orders")), (BTreeMap::new(), Vec::new()));
    assert_eq!(post().status, 202);
    server.kill().unwrap();
    let gone = post();
    assert!(gone.status == 503 && gone.headers.contains_key("retry-after"), "{gone:?}");
    eventually(SOON, || post().error().1 == "redis_unavailable");
    server.start().unwrap();
    gateway.wait_until_ready();
    assert_eq!(post().status, 202);
}

#[test]
fn vectors_reach_their_monitors_in_whichever_slot() {
    let cluster = Cluster::with_module().unwrap();
    let node = |monitor: &str| cluster.node(cluster.primary_of(monitor).unwrap()).connection().unwrap();
    let gateway = Gateway::start(&format!("redis+cluster://127.0.0.1:{}", cluster.node(0).port().unwrap()), None);
    for monitor in ["orders", "signups", "load", "visits"] {
        let answer = gateway.post(&format!("/v1/monitors/{monitor}/vectors"), r#"{"values":{"value":1}}"#);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(vectors(&mut node(monitor), monitor).len(), 1);
    }
}
