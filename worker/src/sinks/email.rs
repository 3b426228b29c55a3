//! E-mail through the operator's mail server.

mod letter;

use super::guard::Guard;
use super::hidden::Hidden;
use super::link::Link;
use super::settings::{Email as Settings, Shared, Tls};
use super::{Delivery, Sink, SinkError};
use eddyline_wire::notification::Notification;
use letter::Letter;
use lettre::Message;
use lettre::message::Mailbox;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::fmt;
use std::time::Duration;

const MAX_RECIPIENTS: usize = 50;
const MAX_HOST: usize = 253;
/// A mail server that took the mail may take so long to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// Mailboxes.
pub(super) struct Email {
    host: String,
    port: u16,
    tls: Tls,
    parameters: Option<TlsParameters>,
    credentials: Option<Credentials>,
    guard: Guard,
    hidden: Hidden,
    timeout: Duration,
    from: Mailbox,
    to: Vec<Mailbox>,
    link: Option<Link>,
}

impl Email {
    pub(super) fn new(settings: &Settings, shared: &Shared, link: Option<Link>) -> Result<Self, String> {
        let host = settings.host.as_str();
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte);
        if !(1..=MAX_HOST).contains(&host.len()) || !host.bytes().all(is_host) {
            return Err("`host` is the name or address of a mail server, without scheme and port".to_owned());
        }
        let guard = Guard { allow_private: shared.allow_private };
        guard.check_literal(host).map_err(|why| format!("`host`: {why}"))?;
        let (credentials, hidden) = credentials(settings)?;
        let parameters = match settings.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Tls => {
                Some(TlsParameters::new(host.to_owned()).map_err(|error| format!("no TLS: {error}"))?)
            }
        };
        let usual_port = match settings.tls {
            Tls::StartTls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        };
        if !(1..=MAX_RECIPIENTS).contains(&settings.to.len()) {
            return Err(format!("`to` are 1 to {MAX_RECIPIENTS} addresses"));
        }
        Ok(Self {
            host: host.to_owned(),
            port: settings.port.unwrap_or(usual_port),
            tls: settings.tls,
            parameters,
            credentials,
            guard,
            hidden,
            timeout: shared.timeout.0,
            from: mailbox("from", &settings.from)?,
            to: settings.to.iter().map(|address| mailbox("to", address)).collect::<Result<_, _>>()?,
            link,
        })
    }

    async fn deliver(&self, notification: &Notification) -> Result<(), SinkError> {
        let page = self.link.as_ref().and_then(|link| link.of(notification));
        let letter = Letter { notification, from: &self.from, to: &self.to, page: page.as_deref() };
        let message = letter.message().map_err(|error| SinkError::Never(format!("no mail could be made: {error}")))?;
        match tokio::time::timeout(self.timeout, self.hand_over(&message)).await {
            Ok(Ok(mut connection)) => {
                let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
                Ok(())
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(self.later(format!("no answer within {:?}", self.timeout).as_bytes())),
        }
    }

    async fn hand_over(&self, message: &Message) -> Result<AsyncSmtpConnection, SinkError> {
        let refusal = |error| self.refusal(&error);
        let addresses = self.guard.addresses(&self.host, self.port).await;
        let addresses = addresses.map_err(|error| self.later(error.to_string().as_bytes()))?;
        let hello = ClientId::default();
        let at_once = self.parameters.clone().filter(|_| self.tls == Tls::Tls);
        // To the addresses that were judged: the name isn't asked for a second time.
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(&addresses[..], Some(self.timeout), &hello, at_once, None)
                .await
                .map_err(refusal)?;
        if let Some(parameters) = self.parameters.clone().filter(|_| self.tls == Tls::StartTls) {
            if !connection.can_starttls() {
                return Err(self.later(b"it offers no STARTTLS; nothing was sent to it (`tls` is `starttls`)"));
            }
            connection.starttls(parameters, &hello).await.map_err(refusal)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(refusal)?;
        }
        connection.send(message.envelope(), &message.formatted()).await.map_err(refusal)?;
        Ok(connection)
    }

    fn refusal(&self, error: &Error) -> SinkError {
        let why = error.to_string();
        if error.is_permanent() { SinkError::Never(self.told(why.as_bytes())) } else { self.later(why.as_bytes()) }
    }

    fn later(&self, why: &[u8]) -> SinkError {
        SinkError::Later { why: self.told(why), after: None }
    }

    fn told(&self, why: &[u8]) -> String {
        format!("mail server {}:{}: {}", self.host, self.port, self.hidden.quote(why))
    }
}

impl Sink for Email {
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a> {
        Box::pin(self.deliver(notification))
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

fn credentials(settings: &Settings) -> Result<(Option<Credentials>, Hidden), String> {
    let mut hidden = Hidden::default();
    let credentials = match (&settings.user, &settings.password) {
        (Some(_), Some(_)) if settings.tls == Tls::None => {
            return Err("`password` isn't sent without encryption: `tls` must be `starttls` or `tls`".to_owned());
        }
        (Some(user), Some(password)) => {
            hidden.add(password);
            Some(Credentials::new(user.clone(), password.expose().to_owned()))
        }
        (None, None) => None,
        _ => return Err("`user` and `password` go together".to_owned()),
    };
    Ok((credentials, hidden))
}

fn mailbox(key: &str, address: &str) -> Result<Mailbox, String> {
    address.parse().map_err(|_| {
        format!("`{key}`: {address:?} is no address such as ops@example.com or eddyline <ops@example.com>")
    })
}
