//! Who may what.

use crate::stage::{Answer, Gateway, SOON, observations, server_with};
use eddyline_testkit::eventually;
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
