//! `eddyline test-sink`, as an operator runs it.

use crate::receivers::http::{Answer, Http};
use crate::receivers::smtp::{Manner, POLITE, Smtp};
use crate::receivers::tls::{self, AUTHORITY};
use eddyline_wire::notification::Notification;
use std::io::Write;
use std::process::{Command, Output};
use tempfile::NamedTempFile;

/// What `eddyline test-sink NAME` does with this file, and all that it logs.
fn test_sink(name: &str, file: &str) -> Output {
    let mut config = NamedTempFile::new().unwrap();
    write!(config, "log = 'trace'\n{file}").unwrap();
    Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .args(["test-sink", name, "--config"])
        .arg(config.path())
        .env("SSL_CERT_FILE", AUTHORITY)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_line_on_standard_output_is_a_notification_that_says_it_is_a_test() {
    let output = test_sink("log", "[sinks.log]\ntype = 'stdout'\nevents = ['resolved']\nmin_severity = 'critical'\n");
    assert!(output.status.success(), "{}", said(&output));
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(line.lines().count(), 1);
    let test: Notification = serde_json::from_str(&line).unwrap();
    assert!(test.test && test.title.contains("This is a test"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sink log took the test"));
}

#[test]
fn receivers_that_keep_an_incident_open_get_its_end_too() {
    let receiver = Http::start();
    let url = receiver.url("");
    let file = format!(
        "[sinks.pager]\ntype = 'pagerduty'\nrouting_key = '0123456789'\nurl = '{url}'\nallow_private = true\n\
         [sinks.prometheus]\ntype = 'alertmanager'\nurl = '{url}'\nallow_private = true\n\
         [sinks.hook]\ntype = 'webhook'\nurl = '{url}'\nallow_private = true\n"
    );
    for sink in ["pager", "prometheus", "hook"] {
        let output = test_sink(sink, &file);
        assert!(output.status.success(), "{}", said(&output));
    }
    let posts = receiver.posts();
    assert_eq!(posts.len(), 5);
    assert_eq!(
        (&posts[0].json()["event_action"], &posts[1].json()["event_action"]),
        (&"trigger".into(), &"resolve".into())
    );
    assert_eq!(posts[0].json()["dedup_key"], posts[1].json()["dedup_key"]);
    assert!(posts[2].json()[0].get("endsAt").is_none() && posts[3].json()[0].get("endsAt").is_some());
    assert_eq!(posts[2].json()[0]["labels"], posts[3].json()[0]["labels"]);
    assert_eq!(posts[4].header("eddyline-event"), "test");
}

#[test]
fn what_went_wrong_is_said_and_the_exit_code_tells() {
    let receiver = Http::answering(|_| Answer { body: "no_service".to_owned(), ..Answer::from(404) });
    let file = format!("[sinks.ops]\ntype = 'slack'\nurl = '{}'\nallow_private = true\n", receiver.url("/services/x"));
    let refused = |name: &str, file: &str| {
        let output = test_sink(name, file);
        assert_eq!(output.status.code(), Some(1));
        said(&output)
    };
    let why = refused("ops", &file);
    assert!(why.contains("sink ops refused the test") && why.contains("404: no_service"), "{why}");
    let why = refused("opps", &file);
    assert!(why.contains("no section [sinks.opps]") && why.contains("its sinks: ops"), "{why}");
    let why = refused("ops", "[sinks.ops]\ntype = 'slack'\nurl = 'https://10.1.2.3/x'\n");
    assert!(why.contains("10.1.2.3 isn't public"), "{why}");
}

#[test]
fn no_secret_stands_in_any_log_at_any_level() {
    let secrets = ["path-secret-9", "header-secret-9", "signing-secret-9", "pass-secret-9", "routing-secret-9"];
    let mut all = String::new();
    for status in [200, 400, 503] {
        let receiver = Http::answering(move |post| Answer { body: post.echo(), ..Answer::from(status) });
        let address = receiver.address;
        let file = format!(
            "[sinks.hook]\ntype = 'webhook'\nurl = 'http://user:pass-secret-9@{address}/path-secret-9'\n\
             headers = {{ Authorization = 'Bearer header-secret-9' }}\nsecret = 'signing-secret-9'\nallow_private = true\n\
             [sinks.pager]\ntype = 'pagerduty'\nrouting_key = 'routing-secret-9'\nurl = 'http://{address}/'\n\
             allow_private = true\n"
        );
        all += &said(&test_sink("hook", &file));
        all += &said(&test_sink("pager", &file));
    }
    let server = Smtp::start(Manner { tls: true, answer_to_login: "535 wrong: pass-secret-9", ..POLITE });
    all += &said(&test_sink("mail", &mail(server.port, "tls")));
    all += &said(&test_sink("hook", "[sinks.hook]\ntype = 'webhook'\nurl = 'https://h'\nsecret = 99999\n"));
    assert!(all.contains("repeats a secret"), "{all}");
    for secret in secrets.iter().chain(&["99999"]) {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

fn mail(port: u16, tls: &str) -> String {
    format!(
        "[sinks.mail]\ntype = 'email'\nhost = 'localhost'\nport = {port}\ntls = '{tls}'\nuser = 'eddyline'\n\
         password = 'pass-secret-9'\nfrom = 'a@example.com'\nto = ['b@example.com']\nallow_private = true\n"
    )
}

#[test]
fn mail_is_encrypted_before_anyone_logs_in() {
    for (tls, manner) in
        [("starttls", Manner { offers_starttls: true, ..POLITE }), ("tls", Manner { tls: true, ..POLITE })]
    {
        let server = Smtp::start(manner);
        let output = test_sink("mail", &mail(server.port, tls));
        assert!(output.status.success(), "{}", said(&output));
        let mails = server.mails();
        assert!(mails[0].encrypted && mails[0].login.is_some());
        assert_eq!(server.commands().iter().any(|command| command == "STARTTLS"), tls == "starttls");
    }
}

#[test]
fn https_is_taken_from_whom_the_machine_trusts() {
    let port = tls::https();
    let section =
        |host: &str| format!("[sinks.hook]\ntype = 'webhook'\nurl = 'https://{host}:{port}/'\nallow_private = true\n");
    let output = test_sink("hook", &section("localhost"));
    assert!(output.status.success(), "{}", said(&output));
    let output = test_sink("hook", &section("127.0.0.2"));
    assert_eq!(output.status.code(), Some(1), "the certificate names another");
    assert!(said(&output).contains("certificate"), "{}", said(&output));
}
