//! Which addresses a sink may connect to: unless the operator says otherwise, none but public ones.
//!
//! A URL in a settings file must not become a way to reach what only this machine can reach: its own ports, the network
//! behind it, the metadata of its cloud. Names are judged by the addresses to which the connection goes, at the time it is
//! made: a name that points elsewhere a moment later gains nothing.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a sink may connect to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guard {
    /// Whether any address will do.
    pub allow_private: bool,
}

/// A receiver that has none but special addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} isn't public; with `allow_private = true` the sink may use it", self.place())]
pub(super) struct NotPublic {
    host: String,
    address: IpAddr,
}

impl NotPublic {
    fn place(&self) -> String {
        let address = self.address.to_string();
        match self.host.trim_matches(['[', ']']) == address {
            true => address,
            false => format!("{} leads to {address}, which", self.host),
        }
    }
}

impl Guard {
    /// Refuses a host that is written as an address which isn't allowed. Names pass: they are judged when they are resolved.
    pub(super) fn check_literal(self, host: &str) -> Result<(), NotPublic> {
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) => self.check(host, address),
            Err(_) => Ok(()),
        }
    }

    /// The addresses of `host` to which a connection is allowed.
    pub(super) async fn addresses(
        self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let all: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
        let mut refused = None;
        let allowed: Vec<_> = all
            .into_iter()
            .filter(|address| match self.check(host, address.ip()) {
                Ok(()) => true,
                Err(why) => {
                    refused.get_or_insert(why);
                    false
                }
            })
            .collect();
        match refused {
            Some(why) if allowed.is_empty() => Err(why.into()),
            _ => Ok(allowed),
        }
    }

    fn check(self, host: &str, address: IpAddr) -> Result<(), NotPublic> {
        if self.allow_private || is_public(address) {
            Ok(())
        } else {
            Err(NotPublic { host: host.to_owned(), address })
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Blocks of IPv4 in which no public server is, as address and length of the prefix.
const SPECIAL_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),        // this host
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // shared by a provider's customers; a cloud's metadata
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // a cloud's metadata, at an address that looks public
    ([169, 254, 0, 0], 16),   // link-local; most clouds' metadata
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments; a cloud's metadata
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

/// Blocks within the public 2000::/3 of IPv6 in which no public server is.
const SPECIAL_V6: [([u16; 2], u32); 4] = [
    ([0x2001, 0x0000], 23), // protocol assignments, Teredo among them, which carries an IPv4 address
    ([0x2001, 0x0db8], 32), // documentation
    ([0x2002, 0x0000], 16), // 6to4, which carries an IPv4 address
    ([0x3fff, 0x0000], 20), // documentation
];

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !SPECIAL_V4.iter().any(|&(block, length)| (bits ^ u32::from_be_bytes(block)) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let carried = Ipv4Addr::from((u32::from(segments[6]) << 16) | u32::from(segments[7]));
    match segments {
        // IPv4 as IPv6 writes it, and as a network that has only IPv6 reaches it (NAT64)
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(carried),
        [first, second, ..] => {
            let bits = (u32::from(first) << 16) | u32::from(second);
            first & 0xe000 == 0x2000
                && !SPECIAL_V6.iter().any(|&([high, low], length)| {
                    (bits ^ ((u32::from(high) << 16) | u32::from(low))) >> (32 - length) == 0
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Guard = Guard { allow_private: false };
    const OPEN: Guard = Guard { allow_private: true };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn special_addresses_are_refused_from_first_to_last() {
        for block in [
            "0.0.0.0-0.255.255.255",
            "10.0.0.0-10.255.255.255",
            "100.64.0.0-100.127.255.255",
            "127.0.0.0-127.255.255.255",
            "168.63.129.16-168.63.129.16",
            "169.254.0.0-169.254.255.255",
            "172.16.0.0-172.31.255.255",
            "192.0.0.0-192.0.0.255",
            "192.0.2.0-192.0.2.255",
            "192.88.99.0-192.88.99.255",
            "192.168.0.0-192.168.255.255",
            "198.18.0.0-198.19.255.255",
            "198.51.100.0-198.51.100.255",
            "203.0.113.0-203.0.113.255",
            "224.0.0.0-255.255.255.255",
        ] {
            let (first, last) = block.split_once('-').unwrap();
            let (first, last): (Ipv4Addr, Ipv4Addr) = (first.parse().unwrap(), last.parse().unwrap());
            let middle = Ipv4Addr::from(u32::from(first).midpoint(u32::from(last)));
            for inside in [first, middle, last] {
                assert!(!is_public(inside.into()), "{inside}");
            }
            let before = u32::from(first).checked_sub(1).map(Ipv4Addr::from);
            let after = u32::from(last).checked_add(1).map(Ipv4Addr::from);
            for outside in before.into_iter().chain(after) {
                assert!(is_public(outside.into()), "{outside}");
            }
        }
        for inside in [
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.1.2.3",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:1ff:ffff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "1fff:ffff::1",
        ] {
            assert!(!is_public(address(inside)), "{inside}");
        }
        for outside in [
            "2606:4700:4700::1111",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "3fff:1000::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2000::1",
        ] {
            assert!(is_public(address(outside)), "{outside}");
        }
    }

    #[test]
    fn an_ipv4_address_is_judged_alike_however_it_is_written() {
        // a step that is no multiple of any block's size: 4 million addresses' worth of blocks, some in each
        for bits in (0..=u32::MAX).step_by(65_521) {
            let bare = Ipv4Addr::from(bits);
            let mapped = bare.to_ipv6_mapped();
            let translated = Ipv6Addr::from((0x0064_ff9b_u128 << 96) | u128::from(bits));
            let public = is_public(bare.into());
            assert_eq!(public, is_public(mapped.into()), "{bare}");
            assert_eq!(public, is_public(translated.into()), "{bare}");
            if public {
                assert!(!bare.is_private() && !bare.is_loopback() && !bare.is_link_local() && !bare.is_multicast());
            }
        }
    }

    #[test]
    fn hosts_written_as_addresses_are_judged_at_once() {
        for host in ["127.0.0.1", "[::1]", "10.0.0.7", "[::ffff:127.0.0.1]"] {
            assert!(STRICT.check_literal(host).is_err(), "{host}");
            assert!(OPEN.check_literal(host).is_ok(), "{host}");
        }
        for host in ["8.8.8.8", "[2606:4700:4700::1111]", "localhost", "example.com"] {
            assert!(STRICT.check_literal(host).is_ok(), "{host}");
        }
    }

    #[tokio::test]
    async fn names_are_judged_by_where_they_lead() {
        for host in ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0"] {
            let why = STRICT.addresses(host, 80).await.unwrap_err();
            assert!(why.is::<NotPublic>(), "{host}: {why}");
            assert!(why.to_string().contains("allow_private"), "{why}");
        }
        assert!(OPEN.addresses("localhost", 80).await.unwrap().iter().all(|found| found.ip().is_loopback()));
    }
}
