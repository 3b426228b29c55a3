//! OpenTelemetry and Prometheus' remote write: spans are counted, samples become vectors.

use crate::stage::{Gateway, SOON, observations, packed};
use eddyline_testkit::{Server, eventually};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

const JSON: (&str, &str) = ("content-type", "application/json");

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

fn post(gateway: &Gateway, path: &str, body: &Json) -> (u16, Json) {
    let answer = gateway.ask("POST", path, &[JSON], body.to_string().as_bytes());
    (answer.status, answer.json())
}

fn span(name: &str, kind: u64, ms: u64) -> Json {
    let at = 1_700_000_000_000_000_000_u64;
    json!({ "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": name, "kind": kind,
        "startTimeUnixNano": at.to_string(), "endTimeUnixNano": (at + ms * 1_000_000).to_string() })
}

fn spans(spans: &[Json]) -> Json {
    let service = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "pay" } }] });
    json!({ "resourceSpans": [{ "resource": service, "scopeSpans": [{ "spans": spans }] }] })
}

#[test]
fn spans_are_counted_once_by_a_monitor_that_they_make() {
    let server = Server::with_module().start().unwrap();
    let gateway = Gateway::before(&server);
    let body = spans(&[span("GET /", 2, 30), span("inner", 1, 30), span("SELECT", 3, 2)]);
    for _ in 0..2 {
        assert_eq!(post(&gateway, "/v1/traces", &body), (200, json!({})));
    }
    assert_eq!(observations(&server, "traces"), 2, "an exporter that sends it again is not counted again");
    let mut odd = span("odd", 2, 0);
    odd["startTimeUnixNano"] = "0".into();
    let (status, told) = post(&gateway, "/v1/traces", &spans(&[span("GET /", 2, 31), odd]));
    assert_eq!((status, &told["partialSuccess"]["rejectedSpans"]), (200, &json!("1")));
    assert_eq!(observations(&server, "traces"), 3);
    let info: BTreeMap<String, redis::Value> =
        redis::cmd("EDDY.INFO").arg("traces").query(&mut server.connection().unwrap()).unwrap();
    let window: u64 = redis::from_redis_value_ref(&info["window_ms"]).unwrap();
    assert_eq!(window, 10_000);
}

#[test]
fn what_is_no_message_is_refused_in_its_own_form() {
    let server = Server::with_module().start().unwrap();
    let gateway = Gateway::before(&server);
    let ask = |path: &str, kind: &str, body: &[u8]| gateway.ask("POST", path, &[("content-type", kind)], body);
    for path in ["/v1/traces", "/v1/metrics"] {
        let refused = ask(path, "application/x-protobuf", b"\x0a\xff");
        assert_eq!((refused.status, &refused.headers["content-type"][..]), (400, "application/x-protobuf"));
        assert!(String::from_utf8_lossy(&refused.body).contains("invalid_body"), "{refused:?}");
        assert_eq!(ask(path, "application/json", b"{").error(), (400, "invalid_body".into()));
        assert_eq!(ask(path, "text/plain", b"").status, 415);
        let empty = ask(path, "application/x-protobuf", b"");
        assert_eq!((empty.status, empty.body.len()), (200, 0));
        let large = vec![b' '; 3 << 20];
        assert_eq!(ask(path, "application/json", &large).error(), (413, "body_too_large".into()));
        // A message of two bytes each, four million of them.
        let many = [0x12, 0x00].repeat(2 << 20);
        assert_eq!(ask(path, "application/x-protobuf", &many).status, 200);
        let packed = gateway.ask("POST", path, &[JSON, ("content-encoding", "gzip")], &packed(b"{}"));
        assert_eq!(packed.status, 200);
    }
    assert!(gateway.resident_bytes() < 400 << 20, "{} bytes", gateway.resident_bytes());
    let ask = |headers: &[_], body: &[u8]| gateway.ask("POST", "/api/v1/write", headers, body).error().0;
    let proto = ("content-type", "application/x-protobuf");
    assert_eq!(ask(&[proto], b""), 415);
    assert_eq!(ask(&[proto, ("content-encoding", "snappy")], b"\xff"), 400);
    assert_eq!(ask(&[proto, ("content-encoding", "snappy")], b"\xff\xff\xff\xff\x0f"), 413);
    let second = ("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    assert_eq!(ask(&[second, ("content-encoding", "snappy")], b"\0"), 415);
}

/// A gauge, a counter and a histogram at this time.
fn metrics(ms: u64, queue: f64, requests: u64, seconds: f64) -> Json {
    let at = (ms * 1_000_000).to_string();
    let point = |value: Json| json!({ "dataPoints": [value], "aggregationTemporality": 2, "isMonotonic": true });
    let resource = json!({ "attributes": [
        { "key": "service.name", "value": { "stringValue": "pay" } },
        { "key": "service.instance.id", "value": { "stringValue": "a" } }] });
    json!({ "resourceMetrics": [{ "resource": resource, "scopeMetrics": [{ "metrics": [
        { "name": "queue", "gauge": { "dataPoints": [{ "asDouble": queue, "timeUnixNano": at }] } },
        { "name": "requests", "sum": point(json!({ "asInt": requests.to_string(), "timeUnixNano": at })) },
        { "name": "latency", "histogram": point(
            json!({ "count": requests.to_string(), "sum": seconds, "timeUnixNano": at })) }] }] }] })
}

type Vectors = Vec<(String, BTreeMap<String, f64>)>;

fn vectors(server: &Server, monitor: &str) -> Vectors {
    let key = format!("{{{monitor}}}:fingerprints");
    redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(&mut server.connection().unwrap()).unwrap()
}

#[test]
fn samples_of_a_window_become_one_vector_when_it_is_over() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::before(&server);
    // The third minute before the one of now began then.
    let from = (now_ms() / 60_000 - 3) * 60_000;
    let send = |ms, queue, requests, seconds| {
        let body = metrics(from + ms, queue, requests, seconds);
        // What is sent again changes nothing.
        for _ in 0..2 {
            assert_eq!(post(&gateway, "/v1/metrics", &body), (200, json!({})));
        }
    };
    send(1000, 2.0, 100, 10.0);
    send(31_000, 4.0, 110, 12.0);
    assert_eq!(vectors(&server, "pay/a"), []);
    send(61_000, 7.0, 130, 22.0);
    // Stragglers of the window before are waited for.
    assert_eq!(vectors(&server, "pay/a"), []);
    send(91_000, 9.0, 5, 1.0);
    let map = |pairs: &[(&str, f64)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let first = map(&[("queue", 3.0), ("requests", 10.0), ("latency:count", 10.0), ("latency:mean", 0.2)]);
    assert_eq!(vectors(&server, "pay/a"), [(format!("{}-0", from + 60_000), first)]);
    send(131_000, 1.0, 6, 2.0);
    let second = map(&[("queue", 8.0), ("requests", 25.0), ("latency:count", 25.0), ("latency:mean", 11.0 / 25.0)]);
    assert_eq!(vectors(&server, "pay/a")[1], (format!("{}-0", from + 120_000), second), "5 after 130 is a start anew");
    let settings: BTreeMap<String, String> =
        redis::cmd("HGETALL").arg("{pay/a}:settings").query(&mut server.connection().unwrap()).unwrap();
    assert_eq!(settings["period_ms"], "60000");
    let features: Vec<String> = serde_json::from_str(&settings["features"]).unwrap();
    assert_eq!(features, ["queue", "requests", "latency:count", "latency:mean"]);
}

#[test]
fn a_worker_scores_vectors_that_come_so() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::before(&server);
    let period = ["HSET", "{pay/a}:settings", "period_ms", "1000"];
    redis::cmd(period[0]).arg(&period[1..]).exec(&mut server.connection().unwrap()).unwrap();
    let from = now_ms() - 20_000;
    for i in 0..20_u64 {
        post(&gateway, "/v1/metrics", &metrics(from + i * 1000, i as f64, i * 10, i as f64));
    }
    assert!(vectors(&server, "pay/a").len() >= 17);
    let mut worker = std::process::Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(["worker", "--redis", &server.url(), "--listen", "none", "--monitor", "pay/a"])
        .spawn()
        .unwrap();
    let scores =
        || -> usize { redis::cmd("XLEN").arg("{pay/a}:scores").query(&mut server.connection().unwrap()).unwrap() };
    let scored = std::panic::catch_unwind(|| eventually(SOON, || scores() >= 17));
    worker.kill().unwrap();
    worker.wait().unwrap();
    scored.unwrap();
}

#[test]
fn an_instance_has_64_features_and_the_rest_is_counted() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::before(&server);
    let from = (now_ms() / 60_000 - 3) * 60_000;
    for ms in [1000, 75_000] {
        let point = json!({ "asDouble": 1, "timeUnixNano": ((from + ms) * 1_000_000).to_string() });
        let metric = |i: u64| json!({ "name": format!("m{i:03}"), "gauge": { "dataPoints": [point] } });
        let all: Vec<_> = (0..100).map(metric).collect();
        let body = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": all }] }] });
        assert_eq!(post(&gateway, "/v1/metrics", &body), (200, json!({})));
    }
    let vectors = vectors(&server, "unknown_service");
    assert_eq!((vectors.len(), vectors[0].1.len()), (1, 64));
    assert!(vectors[0].1.contains_key("m000") && !vectors[0].1.contains_key("m064"));
}
