//! `POST /v1/events`: what is sent is counted, and what isn't is told.

use crate::stage::{Gateway, create, observations, open, packed, server_with};
use eddyline_testkit::Server;
use serde_json::json;

const CHECKOUT: &str = "/v1/events?monitor=checkout";

#[test]
fn an_object_an_array_lines_and_gzip_are_counted() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let one = gateway.post(CHECKOUT, r#"{"endpoint":"/charge","status":500,"ms":34}"#);
    assert_eq!((one.status, one.json()), (202, json!({ "accepted": 1 })));
    assert!(one.headers.contains_key("x-request-id") && one.headers["cache-control"] == "no-store", "{one:?}");
    let two =
        gateway.post(CHECKOUT, r#"[{"endpoint":"/charge","status":200},{"endpoint":"/cart","status":200,"x":null}]"#);
    assert_eq!((two.status, two.json()), (202, json!({ "accepted": 2 })));
    let lines = b"{\"status\":200}\n\n{\"status\":true}\r\n";
    let three = gateway.ask("POST", CHECKOUT, &[("content-type", "application/x-ndjson; charset=utf-8")], lines);
    assert_eq!((three.status, three.json()), (202, json!({ "accepted": 2 })));
    let four = gateway.ask("POST", CHECKOUT, &[("content-encoding", "gzip")], &packed(b"[{\"status\":200}]"));
    assert_eq!((four.status, four.json()), (202, json!({ "accepted": 1 })));
    assert_eq!(observations(&server, "checkout"), 6);
    assert_eq!([open(&server, "checkout", "status", "200"), open(&server, "checkout", "endpoint", "/charge")], [4, 2]);
    assert!(gateway.stop());
}

#[test]
fn items_may_name_their_monitor_and_each_bad_one_is_told() {
    let server = server_with(&["checkout", "{shop}:cart"]);
    redis::cmd("SET").arg("text").arg(1).exec(&mut server.connection().unwrap()).unwrap();
    let gateway = Gateway::before(&server);
    let answer = gateway.post(
        "/v1/events",
        r#"[{"monitor":"checkout","fields":{"status":200}},{"monitor":"{shop}:cart","fields":{"status":200}},
            {"monitor":"nowhere","fields":{"status":200}},{"monitor":"text","fields":{"status":200}},
            {"monitor":"{x}","fields":{"status":200}},{"status":200},{"monitor":"checkout","fields":{"status":[200]}},
            {"monitor":"checkout","fields":{"status":404}}]"#,
    );
    let json = answer.json();
    assert_eq!((answer.status, &json["accepted"], &json["rejected"]), (207, &json!(3), &json!(5)));
    let told: Vec<_> =
        json["errors"].as_array().unwrap().iter().map(|it| (it["index"].clone(), it["code"].clone())).collect();
    let expected =
        [(2, "unknown_monitor"), (3, "no_observations"), (4, "invalid_item"), (5, "invalid_item"), (6, "invalid_item")];
    assert_eq!(told, expected.map(|(index, code)| (json!(index), json!(code))));
    assert_eq!([observations(&server, "checkout"), observations(&server, "{shop}:cart")], [2, 1]);
}

#[test]
fn what_is_wrong_with_a_whole_request_is_its_status() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let post = |path, body| gateway.post(path, body).error();
    assert_eq!(post("/v1/events?monitor=nowhere", r#"{"a":1}"#), (404, "unknown_monitor".into()));
    assert_eq!(post("/v1/events?monitor=nowhere", r#"[{"a":1},{"a":2}]"#), (404, "unknown_monitor".into()));
    assert_eq!(post("/v1/events?monitor=%7Bx%7D", "{}"), (400, "invalid_parameter".into()));
    assert_eq!(post("/v1/events?montor=x", "{}"), (400, "invalid_parameter".into()));
    assert_eq!(post(CHECKOUT, "{}"), (400, "invalid_item".into()));
    assert_eq!(post(CHECKOUT, "[{]"), (400, "invalid_body".into()));
    assert_eq!(post(CHECKOUT, ""), (400, "invalid_body".into()));
    assert_eq!(post("/v1/evnts", "{}"), (404, "unknown_path".into()));
    let ask = |method, headers: &[_], body: &[u8]| gateway.ask(method, CHECKOUT, headers, body).error();
    assert_eq!(ask("GET", &[], b""), (405, "method_not_allowed".into()));
    assert_eq!(ask("POST", &[("content-type", "text/csv")], b""), (415, "unsupported_media".into()));
    assert_eq!(ask("POST", &[("content-encoding", "br")], b"{}"), (415, "unsupported_media".into()));
    assert_eq!(ask("POST", &[("content-encoding", "gzip")], b"{}"), (400, "invalid_body".into()));
    assert_eq!(ask("POST", &[("idempotency-key", &"x".repeat(129))], b"{}"), (400, "invalid_parameter".into()));
    assert_eq!(observations(&server, "checkout"), 0);
    let empty = gateway.post(CHECKOUT, "[]");
    assert_eq!((empty.status, empty.json()), (202, json!({ "accepted": 0 })));
}

#[test]
fn a_request_with_its_own_key_is_counted_once_whichever_gateway_it_comes_to() {
    let server = server_with(&["checkout"]);
    let gateways = [Gateway::before(&server), Gateway::before(&server)];
    let send =
        |gateway: &Gateway, body: &str| gateway.ask("POST", CHECKOUT, &[("idempotency-key", "a-1")], body.as_bytes());
    for gateway in gateways.iter().cycle().take(4) {
        let answer = send(gateway, r#"[{"status":1},7]"#);
        assert_eq!((answer.status, &answer.json()["accepted"]), (207, &json!(1)), "the first one's answer");
    }
    assert_eq!(send(&gateways[1], r#"{"status":2}"#).error(), (422, "idempotency_mismatch".into()));
    assert_eq!(observations(&server, "checkout"), 1);
}

#[test]
fn a_hundred_errors_are_told_of_many() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::before(&server);
    let items = r#"{"status":200},7,"#.repeat(1500);
    let answer = gateway.post(CHECKOUT, &format!("[{items}{{\"status\":1}}]"));
    let json = answer.json();
    assert_eq!((answer.status, &json["accepted"], &json["rejected"]), (207, &json!(1501), &json!(1500)));
    assert_eq!(json["errors"].as_array().unwrap().len(), 100);
    assert_eq!(observations(&server, "checkout"), 1501);
}

#[test]
fn a_request_with_its_own_key_is_counted_once() {
    let server = server_with(&["checkout", "cart"]);
    let gateway = Gateway::before(&server);
    let send =
        |key: &str, path: &str, body: &str| gateway.ask("POST", path, &[("idempotency-key", key)], body.as_bytes());
    let many = format!("[{}7]", r#"{"endpoint":"/a","status":200},"#.repeat(5000));
    for _ in 0..3 {
        let answer = send("a-1", CHECKOUT, &many);
        let json = answer.json();
        assert_eq!((answer.status, &json["accepted"], &json["errors"][0]["index"]), (207, &json!(5000), &json!(5000)));
    }
    assert_eq!(observations(&server, "checkout"), 5000);
    assert_eq!(send("a-1", CHECKOUT, r#"{"status":1}"#).error(), (422, "idempotency_mismatch".into()));
    assert_eq!(send("a-2", CHECKOUT, r#"{"status":1}"#).status, 202);
    assert_eq!(observations(&server, "checkout"), 5001);
    // What wasn't counted isn't remembered: it may come again once the monitor is there.
    let both = r#"[{"monitor":"cart","fields":{"status":1}},{"monitor":"late","fields":{"status":1}}]"#;
    assert_eq!(send("a-3", "/v1/events", both).status, 207);
    create(&server, &["late"]);
    assert_eq!(send("a-3", "/v1/events", both).status, 202);
    assert_eq!([observations(&server, "cart"), observations(&server, "late")], [1, 1]);
    let mut connection = server.connection().unwrap();
    let expiries: Vec<i64> = ["{checkout}:requests:0", "{checkout}:requests:1"]
        .map(|key| redis::cmd("PTTL").arg(key).query(&mut connection).unwrap())
        .into();
    assert!(expiries.iter().any(|left| (600_000..=1_200_000).contains(left)), "{expiries:?}");
    assert!(expiries.iter().all(|left| *left != -1), "all of it goes by itself: {expiries:?}");
}

#[test]
fn a_server_without_the_module_is_told() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::before(&server);
    let answer = gateway.post(CHECKOUT, r#"{"status":1}"#);
    assert_eq!(answer.error(), (503, "no_module".into()));
    assert!(answer.headers.contains_key("retry-after"));
}

#[test]
fn a_redis_that_is_gone_is_told_and_found_again() {
    let mut server = Server::with_module().args(["--appendonly", "yes"]).start().unwrap();
    create(&server, &["checkout"]);
    let gateway = Gateway::before(&server);
    assert_eq!(gateway.post(CHECKOUT, r#"{"status":1}"#).status, 202);
    server.kill().unwrap();
    let answer = gateway.post(CHECKOUT, r#"{"status":1}"#);
    assert_eq!(answer.status, 503);
    assert!(answer.headers.contains_key("retry-after"), "{answer:?}");
    eddyline_testkit::eventually(crate::stage::SOON, || {
        gateway.post(CHECKOUT, r#"{"status":1}"#).error().1 == "redis_unavailable"
    });
    assert_eq!(gateway.ask("GET", "/livez", &[], b"").status, 200);
    assert_eq!(gateway.ask("GET", "/readyz", &[], b"").status, 503);
    server.start().unwrap();
    gateway.wait_until_ready();
    assert_eq!(gateway.post(CHECKOUT, r#"{"status":1}"#).status, 202);
    assert_eq!(observations(&server, "checkout"), 2);
}
