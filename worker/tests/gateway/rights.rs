//! The user that `docs/operations.md` proposes for gateways can do all that one does, and what a user may not is told as that.

use crate::stage::{Answer, Gateway, SOON, observations};
use eddyline_testkit::{Server, eventually, role_template};
use redis::{Connection, Value};
use serde_json::{Value as Json, json};

const INCIDENT: &str = "5b1f2c9a7e3d4860";
const EVENT: &str = r#"{"service":"pay"}"#;
const EVENTS: &str = "/v1/events?monitor=checkout";

fn command(redis: &mut Connection, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    redis::cmd(words[0]).arg(&words[1..]).exec(redis).unwrap_or_else(|error| panic!("{line}: {error}"));
}

/// A monitor with an incident, and a gateway that the documented user stands for; spans and metrics have names of their own.
fn stage() -> (Server, Connection, Gateway) {
    let server = Server::with_module().start().unwrap();
    let mut redis = server.connection().unwrap();
    for words in role_template("gateway").unwrap() {
        redis::cmd(&words[0]).arg(&words[1..]).exec(&mut redis).unwrap();
    }
    command(&mut redis, "ACL SETUSER gateway ~traces ~{traces}:* ~pay* ~{pay*}:*");
    command(&mut redis, "EDDY.CREATE checkout WINDOW 86400000 DIMENSIONS 1 service MEASURES 1 ms");
    let mut alert: Json = serde_json::from_str(include_str!("../../../crates/wire/fixtures/alert.json")).unwrap();
    (alert["incident"], alert["monitor"]) = (INCIDENT.into(), "checkout".into());
    let fields = [("incident", INCIDENT.to_owned()), ("alert", alert.to_string())];
    redis::cmd("XADD").arg("{checkout}:incidents").arg("*").arg(&fields).exec(&mut redis).unwrap();
    let gateway = Gateway::start(&address(&server), None);
    (server, redis, gateway)
}

fn address(server: &Server) -> String {
    format!("redis+unix://{}?user=gateway&pass=secret", server.url().replace("redis+unix://", ""))
}

fn post(gateway: &Gateway, path: &str, body: &Json) -> Answer {
    gateway.post(path, &body.to_string())
}

fn with_key(gateway: &Gateway) -> Answer {
    gateway.ask("POST", EVENTS, &[("idempotency-key", "a")], EVENT.as_bytes())
}

fn spans() -> Json {
    let span = json!({ "name": "GET /", "kind": 2, "startTimeUnixNano": "1000000", "endTimeUnixNano": "2000000" });
    json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": [span] }] }] })
}

fn points() -> Json {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let resource = json!({ "attributes": [{ "key": "service.name", "value": { "stringValue": "pay" } }] });
    let metric =
        json!({ "name": "queue", "gauge": { "dataPoints": [{ "asDouble": 1, "timeUnixNano": now.to_string() }] } });
    json!({ "resourceMetrics": [{ "resource": resource, "scopeMetrics": [{ "metrics": [metric] }] }] })
}

fn listen(gateway: &Gateway) -> u16 {
    gateway.status("GET", "/v1/stream", &[])
}

#[test]
fn the_rights_that_are_documented_are_enough_for_all_it_does() {
    let (_server, mut redis, gateway) = stage();
    command(&mut redis, "ACL LOG RESET");
    let answer = gateway.post(EVENTS, EVENT);
    assert_eq!(answer.status, 202, "{answer:?}");
    assert_eq!(with_key(&gateway).status, 202);
    for (path, body) in [("/v1/traces", spans()), ("/v1/metrics", points())] {
        assert_eq!(post(&gateway, path, &body).status, 200, "{path}");
    }
    let said =
        |word: &str| post(&gateway, &format!("/v1/incidents/{INCIDENT}/feedback"), &json!({ "word": word })).status;
    assert_eq!([said("normal"), said("undo")], [200, 200]);
    assert_eq!(post(&gateway, "/v1/markers", &json!({ "text": "v2", "monitor": "checkout" })).status, 201);
    let put = |name: &str, body: Json| {
        let headers = [("content-type", "application/json")];
        gateway.ask("PUT", &format!("/v1/monitors/{name}"), &headers, body.to_string().as_bytes()).status
    };
    assert_eq!([put("checkout", json!({})), put("payload", json!({ "period_ms": 60_000 }))], [200, 201]);
    for name in ["payload", "payments"] {
        let ranged = json!({ "values": { "value": 1 }, "expect": { "value": "0.." } });
        assert_eq!(post(&gateway, &format!("/v1/monitors/{name}/vectors"), &ranged).status, 202, "{name}");
    }
    assert_eq!(post(&gateway, "/v1/preview", &json!({ "monitor": "checkout", "settings": {} })).status, 200);
    for path in [
        "/v1/monitors",
        "/v1/monitors/checkout",
        "/v1/monitors/pay",
        "/v1/monitors/checkout/scores",
        "/v1/monitors/checkout/fingerprints",
        "/v1/monitors/checkout/top?dimension=service",
        "/v1/monitors/checkout/count?dimension=service&item=pay",
        "/v1/monitors/checkout/quantiles?measure=ms",
        "/v1/incidents",
        &format!("/v1/incidents/{INCIDENT}"),
        "/v1/notifications",
        "/v1/markers",
        "/v1/status",
    ] {
        let answer = gateway.ask("GET", path, &[], b"");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    }
    assert_eq!(gateway.ask("GET", "/v1/monitors/checkout/explain", &[], b"").error().0, 404, "no window yet");
    assert_eq!(listen(&gateway), 200);
    let log: Vec<Value> = redis::cmd("ACL").arg("LOG").query(&mut redis).unwrap();
    let refused: Vec<_> =
        log.iter().map(|entry| format!("{entry:?}")).filter(|entry| !entry.contains("client|setinfo")).collect();
    assert_eq!(refused, [""; 0]);
}

fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.error(), (503, "redis_refuses".to_owned()), "{what}");
    assert!(answer.json()["message"].as_str().unwrap().contains("docs/operations.md"), "{what}: {answer:?}");
    assert!(answer.headers.contains_key("retry-after"), "{what}: {answer:?}");
}

#[test]
fn a_right_that_is_missing_is_told_on_every_route() {
    let (server, mut redis, gateway) = stage();
    let get = |path: &str| gateway.ask("GET", path, &[], b"");
    command(&mut redis, "ACL SETUSER gateway -xrange -xrevrange");
    for path in ["/v1/monitors", "/v1/monitors/checkout/scores", "/v1/incidents", "/v1/markers", "/v1/stream"] {
        assert_refused(&get(path), path);
    }
    assert_eq!(gateway.post(EVENTS, EVENT).status, 202, "what it may do it does");
    command(&mut redis, "ACL SETUSER gateway +xrange +xrevrange -eddy.mobserve");
    assert_eq!([get("/v1/monitors").status, listen(&gateway)], [200, 200], "once it may again");
    assert_refused(&gateway.post(EVENTS, EVENT), "events");
    assert_refused(&gateway.post(EVENTS, &format!("[{EVENT},{EVENT}]")), "many events");
    assert_refused(&with_key(&gateway), "events with a key: the script may not");
    assert_refused(&post(&gateway, "/v1/traces", &spans()), "spans");
    let add = || post(&gateway, "/v1/monitors/payments/vectors", &json!({ "values": { "value": 1 } }));
    command(&mut redis, "ACL SETUSER gateway +eddy.mobserve -eddy.info");
    assert_refused(&add(), "a vector, of which nobody knows whether the module counts");
    command(&mut redis, "ACL SETUSER gateway +eddy.info -xadd");
    assert_refused(&add(), "a vector: the script may not");
    command(&mut redis, "ACL SETUSER gateway +xadd -evalsha -eval");
    assert_refused(&add(), "a vector");
    assert_refused(&with_key(&gateway), "events with a key");
    assert_refused(&post(&gateway, "/v1/metrics", &points()), "points");
    let feedback = format!("/v1/incidents/{INCIDENT}/feedback");
    assert_refused(&post(&gateway, &feedback, &json!({ "word": "normal" })), "feedback");
    command(&mut redis, "ACL SETUSER gateway +evalsha +eval resetkeys ~{eddyline}:*");
    assert_refused(&gateway.post(EVENTS, EVENT), "another's monitor");
    assert_refused(&get("/v1/monitors/checkout/scores"), "another's windows");
    assert_eq!(observations(&server, "checkout"), 1, "what was refused wasn't counted");
}

#[test]
fn a_user_that_redis_does_not_take_is_told_until_it_does() {
    let (_server, mut redis, gateway) = stage();
    command(&mut redis, "ACL SETUSER gateway resetpass >other");
    command(&mut redis, "CLIENT KILL USER gateway");
    let readyz = || gateway.ask("GET", "/readyz", &[], b"");
    eventually(SOON, || readyz().status == 503 && readyz().error().1 == "redis_refuses");
    assert_refused(&gateway.post(EVENTS, EVENT), "events");
    assert_refused(&with_key(&gateway), "events with a key");
    assert_refused(&post(&gateway, "/v1/metrics", &points()), "points");
    for path in ["/v1/monitors", "/v1/stream"] {
        let answer = gateway.ask("GET", path, &[], b"");
        assert_refused(&answer, path);
        assert!(!String::from_utf8(answer.body).unwrap().contains("secret"));
    }
    let status = gateway.ask("GET", "/v1/status", &[], b"").json();
    assert_eq!(status["troubles"][0]["code"], "redis_refuses");
    command(&mut redis, "ACL SETUSER gateway >secret");
    gateway.wait_until_ready();
    let answer = gateway.post(EVENTS, EVENT);
    assert_eq!(answer.status, 202, "{answer:?}");
}
