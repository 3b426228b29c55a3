//! Where metrics and health are told.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Where metrics and health are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// At this address.
    At(SocketAddr),
    /// Nowhere: nothing is recorded either.
    Nowhere,
}

impl Default for Listen {
    /// For this machine alone: what is told names monitors, and asks for no password.
    fn default() -> Self {
        Self::At(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9187))
    }
}

impl FromStr for Listen {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self::Nowhere);
        }
        text.parse().map(Self::At).map_err(|_| "an address and a port, such as 127.0.0.1:9187 or [::]:9187, or 'none'")
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(f),
            Self::Nowhere => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_as_it_is_shown() {
        for text in ["127.0.0.1:9187", "0.0.0.0:80", "[::]:9187", "none"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        assert_eq!(Listen::default().to_string(), "127.0.0.1:9187");
        for text in ["", "9187", ":9187", "localhost", "127.0.0.1", "127.0.0.1:99999", "None"] {
            assert!(text.parse::<Listen>().is_err(), "{text}");
        }
    }
}
