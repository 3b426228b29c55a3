//! A mail server: enough of it to take mail, refuse it, encrypt, and see a login.

use super::tls::encrypted;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// How it behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// Encrypted from the first byte.
    pub tls: bool,
    pub offers_starttls: bool,
    pub answer_to_login: &'static str,
    pub answer_to_recipient: &'static str,
}

pub(crate) const POLITE: Manner =
    Manner { tls: false, offers_starttls: false, answer_to_login: "235 welcome", answer_to_recipient: "250 yes" };

/// What came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub data: String,
    pub encrypted: bool,
    pub login: Option<String>,
}

impl Mail {
    /// The value of a header, unfolded.
    pub(crate) fn header(&self, name: &str) -> String {
        let (head, _) = self.data.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let found = unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned));
        found.unwrap_or_default()
    }
}

/// A mail server on a thread of its own.
pub(crate) struct Smtp {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    mails: Vec<Mail>,
    commands: Vec<String>,
}

impl Smtp {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let kept = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || serve(stream, manner, &kept));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.seen.lock().unwrap().mails.clone()
    }

    /// The first words of all commands, in order.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.seen.lock().unwrap().commands.clone()
    }
}

fn serve(stream: TcpStream, manner: Manner, seen: &Mutex<Seen>) -> io::Result<()> {
    let mut mail = Mail { encrypted: manner.tls, ..Mail::default() };
    if manner.tls {
        let mut stream = encrypted(stream);
        stream.write_all(b"220 mail\r\n")?;
        return talk(&mut stream, manner, seen, &mut mail).map(|_| ());
    }
    let mut stream = stream;
    stream.write_all(b"220 mail\r\n")?;
    if talk(&mut stream, manner, seen, &mut mail)? == End::StartTls {
        mail.encrypted = true;
        talk(&mut encrypted(stream), manner, seen, &mut mail)?;
    }
    Ok(())
}

#[derive(PartialEq)]
enum End {
    StartTls,
    Quit,
}

fn talk(stream: &mut (impl Read + Write), manner: Manner, seen: &Mutex<Seen>, mail: &mut Mail) -> io::Result<End> {
    loop {
        let line = line(stream)?;
        let (command, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
        seen.lock().unwrap().commands.push(command.to_owned());
        let answer = match command {
            "EHLO" if manner.offers_starttls && !mail.encrypted => "250-mail\r\n250 STARTTLS",
            "EHLO" => "250-mail\r\n250 AUTH PLAIN",
            "STARTTLS" => {
                stream.write_all(b"220 go\r\n")?;
                return Ok(End::StartTls);
            }
            "AUTH" => {
                mail.login = Some(rest.to_owned());
                manner.answer_to_login
            }
            "MAIL" => {
                rest.clone_into(&mut mail.from);
                "250 yes"
            }
            "RCPT" => {
                mail.to.push(rest.to_owned());
                manner.answer_to_recipient
            }
            "DATA" => {
                stream.write_all(b"354 go\r\n")?;
                while !mail.data.ends_with("\r\n.\r\n") {
                    mail.data.push(byte(stream)?.into());
                }
                mail.data.truncate(mail.data.len() - 3);
                seen.lock().unwrap().mails.push(mail.clone());
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n")?;
                return Ok(End::Quit);
            }
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes())?;
    }
}

fn line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = String::new();
    while !line.ends_with("\r\n") {
        line.push(byte(stream)?.into());
    }
    Ok(line.trim_end().to_owned())
}

/// One at a time: what comes after `STARTTLS` isn't ours to read yet.
fn byte(stream: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}
