//! Who may what.

use crate::stage::{Answer, Gateway, SOON, observations, server_with};
use eddyline_testkit::{Server, eventually};
use eddyline_worker::gateway::reading::openapi::document;
use std::collections::BTreeSet;
use std::process::Command;

const PATH: &str = "/v1/events?monitor=checkout";

/// A key as `eddyline key` makes it, and its section.
fn key(args: &[&str]) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline")).arg("key").args(args).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (key, section) = text.split_once("\n\n").unwrap();
    (key.to_owned(), section.to_owned())
}

fn send(gateway: &Gateway, key: &str, body: &str) -> Answer {
    gateway.ask("POST", PATH, &[("authorization", &format!("Bearer {key}"))], body.as_bytes())
}

const ITEM: &str = r#"{"status":1}"#;

#[test]
fn a_key_lets_in_whom_its_scopes_say_and_a_reload_changes_them() {
    let server = server_with(&["checkout"]);
    let ((app, app_section), (ops, ops_section)) = (key(&["app"]), key(&["ops", "--scope", "read"]));
    let gateway = Gateway::with(&server, &format!("{app_section}{ops_section}"));
    assert_eq!(send(&gateway, &app, ITEM).status, 202);
    assert_eq!(gateway.ask("POST", PATH, &[("x-api-key", &app)], ITEM.as_bytes()).status, 202);
    assert_eq!(send(&gateway, &ops, ITEM).error(), (403, "forbidden".into()));
    let refused = send(&gateway, "edk_0000", ITEM);
    assert_eq!((refused.error(), &refused.headers["www-authenticate"][..]), ((401, "unauthorized".into()), "Bearer"));
    assert_eq!(gateway.post(PATH, ITEM).error(), (401, "unauthorized".into()));
    assert_eq!(gateway.ask("GET", "/readyz", &[], b"").status, 200, "health needs no key");
    let elsewhere = [("host", "eddyline.example.com"), ("x-api-key", &app[..])];
    assert_eq!(gateway.ask("POST", PATH, &elsewhere, ITEM.as_bytes()).status, 202, "with keys any name will do");
    assert_eq!(observations(&server, "checkout"), 3);
    gateway.rewrite(&ops_section);
    eventually(SOON, || send(&gateway, &app, ITEM).status == 401);
}

/// Which key each route needs.
const SCOPES: [(&str, &str, &str); 23] = [
    ("POST", "/api/v1/write", "write"),
    ("POST", "/v1/events", "write"),
    ("GET", "/v1/incidents", "read"),
    ("GET", "/v1/incidents/{id}", "read"),
    ("POST", "/v1/incidents/{id}/feedback", "admin"),
    ("GET", "/v1/markers", "read"),
    ("POST", "/v1/markers", "write"),
    ("POST", "/v1/metrics", "write"),
    ("GET", "/v1/monitors", "read"),
    ("GET", "/v1/monitors/{name}", "read"),
    ("PUT", "/v1/monitors/{name}", "admin"),
    ("GET", "/v1/monitors/{name}/count", "read"),
    ("GET", "/v1/monitors/{name}/explain", "read"),
    ("GET", "/v1/monitors/{name}/fingerprints", "read"),
    ("GET", "/v1/monitors/{name}/quantiles", "read"),
    ("GET", "/v1/monitors/{name}/scores", "read"),
    ("GET", "/v1/monitors/{name}/top", "read"),
    ("POST", "/v1/monitors/{name}/vectors", "write"),
    ("GET", "/v1/notifications", "read"),
    ("POST", "/v1/preview", "read"),
    ("GET", "/v1/status", "read"),
    ("GET", "/v1/stream", "read"),
    ("POST", "/v1/traces", "write"),
];

#[test]
fn every_route_needs_a_key_of_its_scope() {
    let document = serde_json::to_value(document()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |it| (path, it)));
    let told: BTreeSet<_> = operations
        .map(|(path, (method, operation))| {
            let scope = operation["security"][1]["bearer"][0].as_str().unwrap();
            (path.as_str(), method.to_uppercase(), scope)
        })
        .collect();
    let expected: BTreeSet<_> =
        SCOPES.iter().map(|(method, path, scope)| (*path, (*method).to_owned(), *scope)).collect();
    assert_eq!(told, expected, "the document has them all");

    let server = Server::plain().start().unwrap();
    let keys = ["write", "read", "admin"].map(|scope| (scope, key(&[scope, "--scope", scope])));
    let sections: String = keys.iter().map(|(_, (_, section))| section.as_str()).collect();
    let gateway = Gateway::with(&server, &sections);
    for (method, path, scope) in SCOPES {
        let path = path.replace("{name}", "checkout").replace("{id}", "5b1f2c9a7e3d4860");
        let status = |headers: &[_]| gateway.status(method, &path, headers);
        assert_eq!(status(&[]), 401, "{method} {path} without a key");
        assert_eq!(status(&[("x-api-key", "edk_0000")]), 401, "{method} {path} with a key that isn't known");
        for (has, (key, _)) in &keys {
            let status = status(&[("x-api-key", key)]);
            let is_let_in = status != 401 && status != 403;
            assert_eq!(is_let_in, *has == scope || *has == "admin", "{method} {path} with '{has}': {status}");
            assert!(is_let_in || status == 403, "{method} {path} with '{has}': {status}");
        }
    }
}

#[test]
fn without_keys_pages_and_names_of_other_sites_are_refused() {
    let server = server_with(&["checkout"]);
    let gateway = Gateway::with(&server, "[http]\ncors = ['https://dash.example.com']\n");
    let own = gateway.address.to_string();
    let same = format!("http://{own}");
    let ask = |headers: &[_]| gateway.ask("POST", PATH, headers, ITEM.as_bytes());
    assert_eq!(ask(&[("host", "evil.example.com")]).error(), (403, "host_not_allowed".into()));
    assert_eq!(ask(&[("origin", "https://evil.example.com")]).error(), (403, "origin_not_allowed".into()));
    assert_eq!(ask(&[("origin", "null")]).error(), (403, "origin_not_allowed".into()));
    assert_eq!(ask(&[("host", &own), ("origin", &same)]).status, 202);
    let listed = ask(&[("origin", "https://dash.example.com")]);
    assert_eq!((listed.status, &listed.headers["access-control-allow-origin"][..]), (202, "https://dash.example.com"));
    assert_eq!(observations(&server, "checkout"), 2);
    let preflight = |origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        gateway.ask("OPTIONS", PATH, &headers, b"").headers.contains_key("access-control-allow-origin")
    };
    assert!(preflight("https://dash.example.com") && !preflight("https://evil.example.com"));
}

#[test]
fn a_key_has_a_rate_and_a_largest_body() {
    let server = server_with(&["checkout"]);
    let (app, section) = key(&["app"]);
    let gateway = Gateway::with(&server, &format!("{section}rate = 10\nbody = '4KiB'\n"));
    let items = |n: usize| format!("[{}]", vec!["{\"a\":1}"; n].join(","));
    assert_eq!(send(&gateway, &app, &items(500)).status, 202);
    // Their rate is too small for the rest to grow back meanwhile.
    assert_eq!(send(&gateway, &app, &items(480)).status, 202);
    let refused = send(&gateway, &app, &items(400));
    assert_eq!(refused.error(), (429, "rate_limited".into()));
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() >= 1);
    assert_eq!(send(&gateway, &app, &items(1000)).error(), (413, "body_too_large".into()));
    assert_eq!(observations(&server, "checkout"), 980);
}

#[test]
fn another_address_than_this_machines_own_needs_a_key() {
    let output = Command::new(env!("CARGO_BIN_EXE_eddyline")).args(["serve", "--http", "0.0.0.0:0"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && error.contains("--http: 0.0.0.0:0 can be reached from other machines"),
        "{error}"
    );
}
