//! The OpenAPI document that is served is the one that was agreed on.

use crate::client::Gateway;
use eddyline_testkit::Server;
use eddyline_worker::gateway::reading::openapi::document;
use std::path::Path;

/// With `EDDYLINE_GOLDEN=write` it is written anew, to be looked at.
#[test]
fn the_document_is_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json");
    let now = document().to_pretty_json().unwrap() + "\n";
    if std::env::var("EDDYLINE_GOLDEN").is_ok_and(|golden| golden == "write") {
        std::fs::write(&path, &now).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(now.lines()).find(|(golden, now)| golden != now);
    assert!(golden == now, "EDDYLINE_GOLDEN=write makes it anew; first difference: {differs:?}");
}

#[test]
fn the_document_is_served() {
    let server = Server::plain().start().unwrap();
    let gateway = Gateway::start(&server);
    let (status, served) = gateway.get("/v1/openapi.json");
    assert_eq!((status, served), (200, serde_json::to_value(document()).unwrap()));
}
