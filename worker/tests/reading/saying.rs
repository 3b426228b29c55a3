//! Feedback, markers, previews and definitions: what is said over HTTP counts as if it were said otherwise.

use crate::client::Gateway;
use crate::plain::{self, MONITOR, SOON, Worker, schema, wait_for_score, write_fingerprints, write_schema};
use eddyline_testkit::{Server, eventually};
use serde_json::{Value as Json, json};

#[test]
fn an_incident_that_is_said_to_be_normal_opens_no_more_until_that_is_taken_back() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    let _worker = Worker::start(&server);
    let gateway = Gateway::start(&server);
    write_fingerprints(&mut connection, 0..150, 1);
    wait_for_score(&mut connection, 149);
    let (_, all) = gateway.get(&format!("/v1/incidents?monitor={MONITOR}"));
    let burst =
        all["incidents"].as_array().unwrap().iter().find(|incident| incident["since_ms"] == 1_700_000_099_000_u64);
    let burst = burst.unwrap_or_else(|| panic!("{all}"))["incident"].as_str().unwrap().to_owned();
    let say = |body: Json| {
        let path = format!("/v1/incidents/{burst}/feedback");
        gateway.ask("POST", &path, Some(&body.to_string()))
    };
    let (status, given) = say(json!({"word": "normal", "by": "ann", "monitor": MONITOR}));
    assert_eq!((status, given["word"].as_str()), (200, Some("normal")), "{given}");
    assert!(given["message"].as_str().unwrap().contains("opens nothing any more"), "{given}");
    let feedback =
        || gateway.get(&format!("/v1/incidents/{burst}?monitor={MONITOR}")).1["incident"]["feedback"].clone();
    assert_eq!((feedback()["word"].as_str(), feedback()["by"].as_str()), (Some("normal"), Some("ann")));
    plain::wait_for_look(&mut connection);
    write_fingerprints(&mut connection, 150..250, 1);
    wait_for_score(&mut connection, 249);
    let held = gateway.get(&format!("/v1/monitors/{MONITOR}/scores?after={}&limit=6", plain::id(199))).1;
    assert_eq!(held["scores"][0]["held"], "feedback", "{held}");
    let (status, given) = say(json!({"word": "undo"}));
    assert_eq!((status, given["word"].as_str()), (200, Some("undo")), "{given}");
    assert!(feedback().is_null());
    assert_eq!(say(json!({"word": "undo"})).0, 404);
    assert_eq!(say(json!({"word": "snooze"})).0, 400);
    assert_eq!(say(json!({"word": "fine"})).1["code"], "invalid_body");
    let unknown = gateway.refused("POST", "/v1/incidents/0123456789abcdef/feedback", Some(r#"{"word":"normal"}"#));
    assert_eq!(unknown, (404, "unknown_incident".to_owned()));
}

#[test]
fn a_preview_says_what_other_settings_would_have_fired_and_changes_nothing() {
    let server = Server::plain().start().unwrap();
    let mut connection = server.connection().unwrap();
    write_schema(&mut connection, &schema(1));
    redis::cmd("HSET").arg(plain::keys().settings()).arg("period_ms").arg(1000).exec(&mut connection).unwrap();
    let _worker = Worker::start(&server);
    let gateway = Gateway::start(&server);
    write_fingerprints(&mut connection, 0..640, 1);
    wait_for_score(&mut connection, 639);
    let before: u64 = redis::cmd("XLEN").arg(plain::keys().incidents()).query(&mut connection).unwrap();
    let preview = |settings: Json, days: f64| {
        let body = json!({"monitor": MONITOR, "settings": settings, "days": days}).to_string();
        gateway.ask("POST", "/v1/preview", Some(&body))
    };
    let (status, same) = preview(json!({}), 7.0);
    assert_eq!((status, same["windows"].as_u64()), (200, Some(640)), "{same}");
    assert_eq!(same["alerts"], same["alerts_now"]);
    let alerts = same["alerts"].as_u64().unwrap();
    assert!(alerts >= 4, "{same}");
    // Of the windows that are judged at all, and of fewer of them.
    let (_, tried) = preview(json!({"min_history": 400}), 7.0);
    assert!(tried["alerts"].as_u64().unwrap() < alerts, "{tried}");
    assert_eq!(tried["alerts_now"], same["alerts"]);
    assert_eq!(tried["incidents"].as_array().unwrap().len() as u64, tried["alerts"].as_u64().unwrap());
    let (_, short) = preview(json!({}), 300.0 / 86_400.0);
    assert_eq!((short["windows"].as_u64(), short["to_ms"].as_u64()), (Some(300), Some(1_700_000_639_000)));
    let (status, refused) = preview(json!({"budget": 0}), 7.0);
    assert_eq!(
        (status, refused["message"].as_str()),
        (400, Some("settings.budget: a number above 0 and at most 10000"))
    );
    assert_eq!(preview(json!({}), 0.0).0, 400);
    let after: u64 = redis::cmd("XLEN").arg(plain::keys().incidents()).query(&mut connection).unwrap();
    assert_eq!(before, after);
}

#[test]
fn markers_are_left_and_told() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::start(&server);
    let mark = |body: &str| gateway.ask("POST", "/v1/markers", Some(body)).0;
    assert_eq!(mark(r#"{"text":"pay v1.2.3"}"#), 201);
    assert_eq!(mark(r#"{"text":"cart v2","monitor":"cart"}"#), 201);
    for bad in [r#"{"text":""}"#, r#"{"text":"a\nb"}"#, r#"{}"#, r#"{"text":"x","monitor":"{x}"}"#, "[", ""] {
        assert_eq!(mark(bad), 400, "{bad}");
    }
    let (_, all) = gateway.get("/v1/markers");
    let told: Vec<(&str, Option<&str>)> = all["markers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|marker| (marker["text"].as_str().unwrap(), marker["monitor"].as_str()))
        .collect();
    assert_eq!(told, [("cart v2", Some("cart")), ("pay v1.2.3", None)]);
}

#[test]
fn a_monitor_is_made_once_and_a_different_one_is_no_answer() {
    let server = Server::with_module().start().unwrap();
    let gateway = Gateway::start(&server);
    let put = |name: &str, body: &str| {
        let (status, answer) = gateway.ask("PUT", &format!("/v1/monitors/{name}"), Some(body));
        (status, answer["message"].as_str().unwrap_or_default().to_owned())
    };
    let body = r#"{"window_ms":1000,"dimensions":["service"],"measures":["ms"],"crosses":["service*ms@0.5"]}"#;
    assert_eq!(put("shop", body).0, 201);
    assert_eq!(put("shop", body).0, 200);
    let (status, why) = put("shop", r#"{"window_ms":2000,"dimensions":["service","status"]}"#);
    assert_eq!(
        (status, why.as_str()),
        (409, "the monitor is there already, with other dimensions, crosses, measures, window_ms")
    );
    assert_eq!(put("shop", r#"{"period_ms":1000}"#).0, 409);
    let salt = "000102030405060708090a0b0c0d0e0f";
    let all = format!(
        r#"{{"sources":["metrics"],"from":"0","clock":"stream","window_ms":1000,"buckets":64,"dimensions":["service","user"],
            "hashed":["user"],"salt":"{salt}"}}"#
    );
    let mut connection = server.connection().unwrap();
    for ms in [5000, 5500, 6000] {
        redis::cmd("XADD")
            .arg("metrics")
            .arg(format!("{ms}-0"))
            .arg(&["service", "pay"])
            .exec(&mut connection)
            .unwrap();
    }
    assert_eq!(put("metered", &all).0, 201);
    assert_eq!(put("metered", &all).0, 200);
    let (status, why) = put("metered", r#"{"clock":"server","buckets":32}"#);
    assert_eq!((status, why.as_str()), (409, "the monitor is there already, with other clock, buckets"));
    eventually(SOON, || gateway.get("/v1/monitors/metered").1["info"]["observations"] == 3);
    let told = gateway.get("/v1/monitors/metered").1;
    assert_eq!(
        told["features"].as_array().unwrap().iter().filter(|it| it.as_str().unwrap().starts_with("service[")).count(),
        64
    );
    assert_eq!((&told["info"]["clock"], &told["info"]["open_end_ms"]), (&"stream".into(), &7000.into()), "{told}");
    assert!(!told.to_string().contains(salt));
    let (_, why) = put("other", r#"{"hashed":["user"],"dimensions":["user"],"salt":"5ec7e7"}"#);
    assert!(why.starts_with("SALT must be 32 hexadecimal digits") && !why.contains("5ec7"), "{why}");
    assert_eq!(put("load", r#"{"period_ms":60000,"clock":"stream"}"#).0, 400);
    assert_eq!(put("other", r#"{"window_ms":1}"#).0, 400);
    assert_eq!(put("other", r#"{"windows_ms":1000}"#).0, 400);
    assert_eq!(put("load", r#"{"period_ms":60000,"features":["cpu","mem"]}"#).0, 201);
    assert_eq!(put("load", r#"{"period_ms":60000}"#).0, 200);
    assert_eq!(put("load", r#"{"period_ms":30000}"#).0, 409);
    assert_eq!(put("load", r#"{"window_ms":1000}"#).0, 409);
    eventually(SOON, || gateway.get("/v1/status").1["monitors"].as_u64() >= Some(1));
    let plain = Server::plain().start().unwrap();
    let gateway = Gateway::start(&plain);
    assert_eq!(gateway.refused("PUT", "/v1/monitors/shop", Some("{}")), (503, "no_module".to_owned()));
}

#[test]
fn a_number_outside_of_its_range_is_an_incident_from_the_first_on() {
    let server = Server::plain().start().unwrap();
    let _worker = Worker::with(&server, &[]);
    let gateway = Gateway::start(&server);
    let body = r#"{"values":{"value":5},"expect":{"value":"10.."}}"#;
    let (status, added) = gateway.ask("POST", "/v1/monitors/orders/vectors", Some(body));
    assert_eq!(status, 202, "{added}");
    let incidents = || gateway.get("/v1/incidents?monitor=orders").1["incidents"].clone();
    eventually(SOON, || incidents()[0]["entry"] == added["id"]);
    assert!(incidents()[0]["summary"].as_str().unwrap().contains("value"), "{}", incidents());
}
