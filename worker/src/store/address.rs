//! Where Redis is, as a URL says it.

use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, ProtocolVersion, RedisError, RedisResult,
    TlsCertificates,
};

/// Most hosts that a URL may name.
const HOSTS: usize = 64;

/// What the URLs look like, for messages and help.
pub const FORMS: &str = "redis://[user:password@]host[:port][/db], rediss://… for TLS, redis+unix:///path[?db=n], \
     redis+sentinel://[user:password@]host:port[,host:port…]/service[/db] or \
     redis+cluster://[user:password@]host:port[,host:port…]; rediss+sentinel and rediss+cluster for TLS";

/// What stands at an address.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A server.
    Server(ConnectionInfo),
    /// Sentinels that know who is primary of `service`; `node` is how to speak to whom they name.
    Sentinel { sentinels: Vec<ConnectionInfo>, service: String, node: ConnectionInfo },
    /// Some nodes of a cluster, which know the others.
    Cluster(Vec<ConnectionInfo>),
}

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct Address {
    pub(super) place: Place,
    db: u32,
    shown: String,
}

impl Address {
    /// From one of [`FORMS`].
    ///
    /// # Errors
    /// Any other text. The message doesn't repeat it.
    pub fn parse(url: &str) -> RedisResult<Self> {
        if query(url).any(|pair| pair.starts_with("ca=")) {
            return Err(invalid("the file of authorities is named by redis_ca, beside the URL"));
        }
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("it is no URL"))?;
        let (scheme, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        match kind {
            "sentinel" => Self::sentinel(scheme, rest),
            "cluster" => Self::cluster(scheme, rest),
            _ => Self::server(url),
        }
    }

    fn server(url: &str) -> RedisResult<Self> {
        let info = info(url)?;
        let db = db(&info)?;
        Ok(Self { db, shown: format!("{} db {db}", info.addr()), place: Place::Server(info) })
    }

    fn sentinel(scheme: &str, rest: &str) -> RedisResult<Self> {
        let url = Several::split(rest)?;
        let (service, db_text) = url.path.split_once('/').unwrap_or((url.path, "0"));
        if service.is_empty() {
            return Err(invalid("it names no service: redis+sentinel://host:port/service"));
        }
        let hosts: Vec<&str> = url.hosts.split(',').collect();
        let of = |user: &str, host: &str| info(&format!("{scheme}://{user}{host}/{db_text}{}", url.fragment));
        let node = of(url.user, hosts[0])?;
        // Sentinels have no databases, and users of their own.
        let bare = |host: &&str| info(&format!("{scheme}://{host}{}", url.fragment));
        let sentinels = hosts.iter().map(bare).collect::<RedisResult<Vec<_>>>()?;
        let db = db(&node)?;
        let shown = format!("{service} of sentinels {} db {db}", url.hosts);
        Ok(Self { place: Place::Sentinel { sentinels, service: service.to_owned(), node }, db, shown })
    }

    fn cluster(scheme: &str, rest: &str) -> RedisResult<Self> {
        let url = Several::split(rest)?;
        if !matches!(url.path, "" | "0") {
            return Err(invalid("a cluster has database 0 only"));
        }
        let node = |host: &str| info(&format!("{scheme}://{}{host}{}", url.user, url.fragment));
        let nodes = url.hosts.split(',').map(node).collect::<RedisResult<Vec<_>>>()?;
        Ok(Self { place: Place::Cluster(nodes), db: 0, shown: format!("cluster {}", url.hosts) })
    }

    /// Trusts these certificates (PEM), and no others, where the URL asks for TLS.
    ///
    /// # Errors
    /// Something that isn't PEM, or a URL without TLS.
    pub fn trusting(mut self, authorities: &[u8]) -> RedisResult<Self> {
        let trust = |info: &mut ConnectionInfo| -> RedisResult<()> {
            let certificates = TlsCertificates { client_tls: None, root_cert: Some(authorities.to_vec()) };
            *info = Client::build_with_tls(info.clone(), certificates)?.get_connection_info().clone();
            Ok(())
        };
        match &mut self.place {
            Place::Server(info) => trust(info)?,
            Place::Sentinel { sentinels, node, .. } => {
                sentinels.iter_mut().chain([node]).try_for_each(trust)?;
            }
            Place::Cluster(nodes) => nodes.iter_mut().try_for_each(trust)?,
        }
        Ok(self)
    }

    /// Number of the database.
    #[must_use]
    pub fn db(&self) -> u32 {
        self.db
    }

    /// For messages: without the password.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Another server, for the same user.
    ///
    /// # Errors
    /// A host that can't be one.
    pub fn at(&self, host: &str, port: u16) -> RedisResult<Self> {
        let like = match &self.place {
            Place::Server(info) | Place::Sentinel { node: info, .. } => info,
            Place::Cluster(nodes) => &nodes[0],
        };
        let place = Place::Server(moved(like, host, port));
        Ok(Self { place, db: self.db, shown: format!("{host}:{port} db {}", self.db) })
    }
}

/// The pairs of a URL's query.
fn query(url: &str) -> impl Iterator<Item = &str> {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    url.split_once('?').into_iter().flat_map(|(_, query)| query.split('&'))
}

/// The same way of speaking, to another server.
pub(super) fn moved(info: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let addr = match info.addr() {
        ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
            let (insecure, tls_params) = (*insecure, tls_params.clone());
            ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure, tls_params }
        }
        _ => ConnectionAddr::Tcp(host.to_owned(), port),
    };
    info.clone().set_addr(addr)
}

/// The parts of a URL that names several hosts.
struct Several<'a> {
    /// With its `@`, or nothing.
    user: &'a str,
    hosts: &'a str,
    path: &'a str,
    /// With its `#`, or nothing.
    fragment: &'a str,
}

impl<'a> Several<'a> {
    fn split(rest: &'a str) -> RedisResult<Self> {
        let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
        let count = hosts.split(',').count();
        if hosts.split(',').any(str::is_empty) || count > HOSTS {
            return Err(invalid("it names 1 to 64 hosts, separated by commas"));
        }
        Ok(Self { user, hosts, path: path.trim_end_matches('/'), fragment })
    }
}

fn info(url: &str) -> RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        // The process may have chosen one already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

fn db(info: &ConnectionInfo) -> RedisResult<u32> {
    u32::try_from(info.redis_settings().db()).map_err(|_| invalid("the database's number is negative"))
}

fn invalid(why: &'static str) -> RedisError {
    RedisError::from((ErrorKind::InvalidClientConfig, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> (u32, String) {
        let address = Address::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        (address.db(), address.shown().to_owned())
    }

    #[test]
    fn an_address_names_host_and_database_but_no_password() {
        assert_eq!(shown("redis://user:secret@redis.example:7000/3"), (3, "redis.example:7000 db 3".into()));
        assert_eq!(shown("redis+unix:///run/redis.sock?db=2"), (2, "/run/redis.sock db 2".into()));
        assert_eq!(shown("rediss://:secret@redis.example"), (0, "redis.example:6379 db 0".into()));
        assert_eq!(
            shown("redis+sentinel://user:secret@a:26379,b:26379/shop/2"),
            (2, "shop of sentinels a:26379,b:26379 db 2".into())
        );
        assert_eq!(shown("redis+cluster://user:s@cret@a:7000,b:7001"), (0, "cluster a:7000,b:7001".into()));
        assert_eq!(shown("rediss+cluster://a:7000#insecure"), (0, "cluster a:7000".into()));
    }

    #[test]
    fn users_reach_servers_and_not_sentinels() {
        let address = Address::parse("redis+sentinel://user:secret@a:1,b:2/shop/4").unwrap();
        let Place::Sentinel { sentinels, service, node } = &address.place else { panic!("{address:?}") };
        let settings = node.redis_settings();
        assert_eq!((settings.username(), settings.password(), settings.db()), (Some("user"), Some("secret"), 4));
        assert_eq!((service.as_str(), sentinels.len()), ("shop", 2));
        assert!(sentinels.iter().all(|it| it.redis_settings().password().is_none() && it.redis_settings().db() == 0));
        assert!(!format!("{address:?}").contains("secret"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for url in [
            "http://redis.example",
            "redis.example",
            "redis+sentinel://a:1",
            "redis+sentinel://:hush@/shop",
            "redis+sentinel://a:1/shop/x",
            "redis+cluster://:hush@a:1,,b:2",
            "redis+cluster://a:1/3",
            "ftp+cluster://a:1",
            "rediss://:hush@a#what",
        ] {
            let error = Address::parse(url).expect_err(url).to_string();
            assert!(!error.contains("hush"), "{error}");
        }
        for url in ["rediss://:hush@a?ca=x", "redis+unix:///s?db=2&ca=x#insecure"] {
            let error = Address::parse(url).expect_err(url).to_string();
            assert!(error.contains("redis_ca") && !error.contains("hush"), "{error}");
        }
    }
}
