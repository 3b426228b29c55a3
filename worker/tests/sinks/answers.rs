//! What a receiver's answer comes to, what no error repeats, and where no connection goes.

use crate::receivers::http::{Answer, Http, Post};
use crate::receivers::{opened, sink, try_sink};
use eddyline_worker::sinks::SinkError;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

const SECRETS: [&str; 6] =
    ["path-secret-9", "query-secret-9", "user-secret-9", "pass-secret-9", "header-secret-9", "signing-secret-9"];
/// The base64 of `user-secret-9:pass-secret-9`.
const LOGIN: &str = "dXNlci1zZWNyZXQtOTpwYXNzLXNlY3JldC05";

/// A webhook with a secret wherever one can be, at `authority`.
fn secretive(authority: &str) -> String {
    let [path, query, user, pass, header, signing] = SECRETS;
    format!(
        "type = 'webhook'\nurl = 'http://{user}:{pass}@{authority}/{path}?key={query}'\nsecret = '{signing}'\n\
         headers = {{ X-Key = 'Token {header}' }}\nallow_private = true\n"
    )
}

/// A port at which each connection is handled so.
fn port(serve: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().flatten().for_each(&serve));
    address
}

fn closed_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

async fn refusal(section: &str) -> SinkError {
    sink(section).send(&opened()).await.unwrap_err()
}

async fn answered(answer: impl Into<Answer>) -> Result<(), SinkError> {
    let answer = answer.into();
    let receiver = Http::answering(move |_| answer.clone());
    let section = format!("type = 'webhook'\nurl = '{}'\nallow_private = true", receiver.url("/"));
    let outcome = sink(&section).send(&opened()).await;
    assert_eq!(receiver.posts().len(), 1, "one delivery is one request");
    outcome
}

#[tokio::test]
async fn what_the_receiver_answers_decides_whether_to_try_again() {
    for status in [200, 201, 202, 204] {
        assert_eq!(answered(status).await, Ok(()), "{status}");
    }
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let why = answered(status).await.unwrap_err();
        assert!(matches!(&why, SinkError::Later { why, .. } if why.contains(&status.to_string())), "{status}: {why:?}");
    }
    for status in [300, 301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422] {
        let why = answered(status).await.unwrap_err();
        assert!(matches!(&why, SinkError::Never(why) if why.contains(&status.to_string())), "{status}: {why:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_asks_for_a_pause_is_heard() {
    for status in [429, 503] {
        let answer = Answer { headers: vec![("retry-after", "17".to_owned())], ..Answer::from(status) };
        let Err(SinkError::Later { after, .. }) = answered(answer).await else { panic!("{status}") };
        assert_eq!(after, Some(Duration::from_secs(17)));
    }
}

#[tokio::test]
async fn the_receivers_reason_is_told_on_one_short_line() {
    let why = answered(Answer { body: "invalid_blocks\nsecond \u{1b}[31m".to_owned(), ..Answer::from(400) }).await;
    let SinkError::Never(why) = why.unwrap_err() else { panic!() };
    assert!(why.ends_with(" answered 400: invalid_blocks\\x0asecond \\x1b[31m"), "{why}");
    let huge = answered(Answer { body: "x".repeat(20 << 20), ..Answer::from(500) }).await.unwrap_err();
    assert!(huge.to_string().len() < 300, "{}", huge.to_string().len());
}

#[tokio::test]
async fn a_receiver_that_is_slow_silent_absent_or_mad_is_tried_again_later() {
    let silent = port(|stream| {
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs(60));
            drop(stream);
        });
    });
    let mad = port(|mut stream| drop(stream.write_all(b"hello\r\n\r\n")));
    let hangs_up = port(drop);
    let endless = port(|mut stream| {
        std::thread::spawn(move || {
            let _ = stream.read(&mut [0; 65_536]);
            let _ = stream.write_all(b"HTTP/1.1 500 no\r\nContent-Length: 1000\r\n\r\n");
            std::thread::sleep(Duration::from_secs(60));
        });
    });
    for authority in [silent, mad, hangs_up, endless, closed_port()] {
        let begun = Instant::now();
        let why = refusal(&format!("{}timeout = '300ms'", secretive(&authority))).await;
        assert!(matches!(&why, SinkError::Later { after: None, why } if why.contains(&authority)), "{why:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{authority}: {:?}", begun.elapsed());
    }
    let why = refusal("type = 'webhook'\nurl = 'https://no-such-host.invalid/'").await;
    assert!(matches!(&why, SinkError::Later { why, .. } if why.contains("no-such-host.invalid")), "{why:?}");
}

#[tokio::test]
async fn no_error_repeats_a_secret() {
    let mut shown = String::new();
    let mut echoed = Vec::new();
    for status in [302, 400, 404, 429, 500] {
        let receiver = Http::answering(move |post| Answer {
            body: post.echo(),
            headers: vec![("location", format!("/{}", SECRETS[0]))],
            ..Answer::from(status)
        });
        let address = receiver.address.to_string();
        let echoing = sink(&secretive(&address));
        let error = echoing.send(&opened()).await.unwrap_err();
        shown += &format!("{error} {error:?} {echoing:?} {echoing:#?}\n");
        let key = "routing-key-secret-9";
        let pager =
            format!("type = 'pagerduty'\nrouting_key = '{key}'\nurl = 'http://{address}/'\nallow_private = true");
        let error = sink(&pager).send(&opened()).await.unwrap_err();
        shown += &format!("{error} {error:?}\n");
        echoed.push(receiver.posts().iter().map(Post::echo).collect::<String>());
    }
    let told = shown.matches("repeats a secret").count();
    assert_eq!(told, 5 * 2 * 2, "{shown}");
    let reset = port(|mut stream| drop(stream.write_all(format!("{}\r\n\r\n", SECRETS.join(" ")).as_bytes())));
    for authority in [closed_port(), reset] {
        let error = refusal(&secretive(&authority)).await;
        shown += &format!("{error} {error:?}\n");
    }
    for bad in ["headers = { X-Key = 'header-secret-9\\n' }", "secret = 'secret-9'", "link = 'x'"] {
        let section = format!("type = 'webhook'\nurl = 'https://h/path-secret-9'\n{}", bad.replace('\'', "\""));
        let error = try_sink(&section).unwrap_err();
        shown += &format!("{error} {error:?}\n");
    }
    for url in ["ftp://user:pass-secret-9@h/", "path-secret-9", "https://user:pass-secret-9@127.0.0.1/path-secret-9"] {
        let error = try_sink(&format!("type = 'slack'\nurl = '{url}'")).unwrap_err();
        shown += &format!("{error} {error:?}\n");
    }
    assert!(!shown.contains("secret-9") && !shown.contains(LOGIN), "{shown}");
    assert!(echoed.iter().all(|echo| SECRETS[..2].iter().all(|secret| echo.contains(secret)) && echo.contains(LOGIN)));
}

#[tokio::test]
async fn addresses_that_are_not_public_are_refused_before_anything_is_sent() {
    let receiver = Http::start();
    let port = receiver.address.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f000001:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "http://0.0.0.0/".to_owned(),
    ] {
        for kind in ["slack", "webhook", "alertmanager", "cloudevents", "pagerduty\"\nrouting_key = \"0123456789"] {
            let why = try_sink(&format!("type = \"{kind}\"\nurl = '{url}'")).unwrap_err().to_string();
            assert!(why.contains("isn't public") && why.contains("allow_private"), "{url}: {why}");
        }
    }
    // A name is judged by where it leads, when it is connected to.
    let section = format!("type = 'webhook'\nurl = 'http://localhost:{port}/'");
    let why = refusal(&section).await;
    assert!(matches!(&why, SinkError::Later { why, .. } if why.contains("allow_private")), "{why:?}");
    assert!(receiver.posts().is_empty());
    sink(&format!("{section}\nallow_private = true")).send(&opened()).await.unwrap();
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn nobody_is_led_elsewhere_by_a_redirect() {
    let inside = Http::start();
    let target = inside.url("/inside");
    for status in [301, 302, 303, 307, 308] {
        let target = target.clone();
        let outside =
            Http::answering(move |_| Answer { headers: vec![("location", target.clone())], ..Answer::from(status) });
        let why = refusal(&format!("type = 'webhook'\nurl = '{}'\nallow_private = true", outside.url("/"))).await;
        assert!(matches!(&why, SinkError::Never(why) if why.contains("redirects aren't followed")), "{why:?}");
    }
    assert!(inside.posts().is_empty());
}

#[tokio::test]
async fn one_sink_sends_as_often_as_it_is_asked() {
    let receiver = Http::start();
    let kept = sink(&format!("type = 'webhook'\nurl = '{}'\nallow_private = true", receiver.url("/")));
    for notification in [opened(), opened(), opened()] {
        kept.send(&notification).await.unwrap();
    }
    assert_eq!(receiver.posts().len(), 3);
}

#[test]
fn settings_that_make_no_sink_are_refused_by_key() {
    let refused = |section: &str| try_sink(section).unwrap_err().to_string();
    assert!(refused("type = 'slack'\nurl = 'hooks.slack.com/x'").starts_with("sink test: `url` is an address such as"));
    assert!(refused("type = 'webhook'\nurl = 'https://h/'\nsecret = 'short'").contains("`secret` is 16 to 1024 bytes"));
    assert!(
        refused("type = 'webhook'\nurl = 'https://h/'\nlink = '{x}'").contains("`link` is an http or https address")
    );
    assert!(
        refused("type = 'webhook'\nurl = 'https://h/'\nheaders = { Host = 'x' }").contains("set by eddyline itself")
    );
    assert!(refused("type = 'alertmanager'\nurl = 'https://h/?x=1'").contains("without a query"));
    assert!(refused("type = 'pagerduty'\nrouting_key = 'a b'").contains("`routing_key`"));
    let email =
        |change: &str| refused(&format!("type = 'email'\nhost = 'h'\nfrom = 'a@b.c'\nto = ['d@e.f']\n{change}"));
    assert!(email("user = 'x'").contains("`user` and `password` go together"));
    assert!(email("tls = 'none'\nuser = 'x'\npassword = 'y'").contains("isn't sent without encryption"));
    let email = |from: &str, to: &str, host: &str| {
        refused(&format!("type = 'email'\nhost = '{host}'\nfrom = '{from}'\nto = [{to}]"))
    };
    assert!(email("a", "'d@e.f'", "h").contains("`from`"));
    assert!(email("a@b.c", "'d'", "h").contains("`to`"));
    assert!(email("a@b.c", "", "h").contains("`to` are 1 to 50"));
    assert!(email("a@b.c", "'d@e.f'", "smtp://h").contains("`host`"));
    assert!(email("a@b.c", "'d@e.f'", "127.0.0.1").contains("isn't public"));
    let settings = toml::from_str("type = 'stdout'").unwrap();
    assert!(eddyline_worker::sinks::make("a b", &settings).unwrap_err().to_string().contains("letters, digits"));
}
