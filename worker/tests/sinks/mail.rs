//! What is sent by e-mail.

use crate::receivers::smtp::{Mail, Manner, POLITE, Smtp};
use crate::receivers::{all, assert_golden, opened, sink};
use eddyline_wire::notification::Notification;
use eddyline_worker::sinks::SinkError;

fn section(port: u16, more: &str) -> String {
    format!(
        "type = 'email'\nhost = '127.0.0.1'\nport = {port}\nfrom = 'eddyline <eddyline@example.com>'\n\
         to = ['ops@example.com', 'Night Shift <night@example.com>']\nallow_private = true\n{more}"
    )
}

async fn mailed(notification: &Notification) -> Mail {
    let server = Smtp::start(POLITE);
    let link = "link = 'https://grafana.internal/d/eddyline?var-monitor={monitor}'";
    sink(&section(server.port, &format!("tls = 'none'\n{link}"))).send(notification).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    mails.into_iter().next().unwrap()
}

/// The parts' text: quoted-printable and base64 undone.
fn parts(mail: &Mail) -> [String; 2] {
    let (_, boundary) = mail.data.split_once("boundary=\"").unwrap();
    let (boundary, _) = boundary.split_once('"').unwrap();
    let parts: Vec<_> = mail.data.split(&format!("--{boundary}")).collect();
    assert_eq!(parts.len(), 4, "what is before, two parts, what is after");
    [parts[1], parts[2]].map(|part| {
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        match () {
            () if head.contains("quoted-printable") => unquoted(body),
            () if head.contains("7bit") => body.to_owned(),
            () => panic!("{head}"),
        }
    })
}

fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let escaped = byte == b'=';
        let digits = escaped.then(|| [rest.next().unwrap(), rest.next().unwrap()]);
        bytes.push(digits.map_or(byte, |digits| u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap()));
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_mail_has_one_story_as_text_and_as_html() {
    for (kind, notification) in all() {
        let mail = mailed(&notification).await;
        assert!(mail.data.is_ascii() && mail.data.lines().all(|line| line.len() <= 998), "{kind}");
        assert_eq!(mail.to.len(), 2);
        assert!(mail.from.contains("eddyline@example.com"));
        assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
        let (head, _) = mail.data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let mut names: Vec<_> = unfolded.lines().map(|line| line.split(':').next().unwrap()).collect();
        names.sort();
        let expected = [
            "Auto-Submitted",
            "Content-Type",
            "Date",
            "From",
            "In-Reply-To",
            "MIME-Version",
            "Message-ID",
            "References",
            "Subject",
            "To",
        ];
        assert_eq!(names, expected, "{kind}: no text becomes a header");
        let [text, html] = parts(&mail);
        assert!(!html.contains("<script") && !html.contains("<!channel>") && !html.contains("<https"), "{kind}");
        assert!(!text.contains(['\u{0}', '\u{1b}', '\u{202e}']), "{kind}");
        match kind {
            "opened" => assert_golden("email.txt", &mail.data.replace("\r\n", "\n")),
            "joined" => assert!([&text, &html].iter().all(|part| part.contains("and 180 more"))),
            "resolved" => assert!([&text, &html].iter().all(|part| part.contains("over: quiet for 10 windows"))),
            "test" => assert!([&text, &html].iter().all(|part| part.contains("This is a test"))),
            _ => assert!(html.contains("&lt;script&gt;")),
        }
    }
}

#[tokio::test]
async fn the_mails_of_a_group_are_one_thread_with_times_of_their_own() {
    let mut first = opened();
    let mut ids = Vec::new();
    for nth in 0..3 {
        first.id = format!("{}-{nth}", first.group);
        first.at_ms += 1000;
        let mail = mailed(&first).await;
        assert_eq!(mail.header("References"), "<5b1f2c9a7e3d4860@example.com>");
        assert_eq!(mail.header("In-Reply-To"), mail.header("References"));
        assert_eq!(mail.header("Date"), format!("Fri, 20 Nov 2026 09:15:0{} +0000", 6 + nth));
        ids.push(mail.header("Message-ID"));
        assert_eq!(mailed(&first).await.data, mail.data, "the same again is the same mail");
    }
    assert_eq!(ids, [0, 1, 2].map(|nth| format!("<5b1f2c9a7e3d4860-{nth}@example.com>")));
}

#[tokio::test]
async fn what_the_mail_server_answers_decides_whether_to_try_again() {
    for (answer, again) in
        [("450 busy", true), ("451 greylisted", true), ("550 no such user", false), ("554 spam", false)]
    {
        let server = Smtp::start(Manner { answer_to_recipient: answer, ..POLITE });
        let why = sink(&section(server.port, "tls = 'none'")).send(&opened()).await.unwrap_err();
        assert_eq!(matches!(why, SinkError::Later { .. }), again, "{why:?}");
        let (_, words) = answer.split_once(' ').unwrap();
        assert!(why.to_string().contains(words), "{why}");
        assert!(server.mails().is_empty());
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let why = sink(&section(nobody, "tls = 'none'")).send(&opened()).await.unwrap_err();
    assert!(matches!(&why, SinkError::Later { why, .. } if why.contains("refused")), "{why:?}");
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_cannot_encrypt_when_it_should() {
    let server = Smtp::start(POLITE);
    let login = "user = 'eddyline'\npassword = 'hunter2-hunter2'";
    let why = sink(&section(server.port, login)).send(&opened()).await.unwrap_err();
    assert!(matches!(&why, SinkError::Later { why, .. } if why.contains("no STARTTLS")), "{why:?}");
    assert!(server.commands().iter().all(|command| command == "EHLO" || command == "QUIT"), "{:?}", server.commands());
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused_before_the_login() {
    for (tls, manner) in
        [("starttls", Manner { offers_starttls: true, ..POLITE }), ("tls", Manner { tls: true, ..POLITE })]
    {
        let server = Smtp::start(manner);
        let login = format!("tls = '{tls}'\nuser = 'eddyline'\npassword = 'hunter2-hunter2'");
        let why = sink(&section(server.port, &login)).send(&opened()).await.unwrap_err();
        assert!(matches!(&why, SinkError::Later { why, .. } if why.contains("certificate")), "{why:?}");
        assert!(!server.commands().iter().any(|command| command == "AUTH"));
    }
}

#[tokio::test]
async fn a_mail_server_has_a_public_address_too() {
    let server = Smtp::start(POLITE);
    let settings = section(server.port, "tls = 'none'").replace("127.0.0.1", "localhost");
    let strict = settings.replace("allow_private = true", "");
    let why = sink(&strict).send(&opened()).await.unwrap_err();
    assert!(matches!(&why, SinkError::Later { why, .. } if why.contains("allow_private")), "{why:?}");
    assert!(server.commands().is_empty());
    sink(&settings).send(&opened()).await.unwrap();
    assert_eq!(server.mails().len(), 1);
}
