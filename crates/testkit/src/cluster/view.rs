//! What one node knows of the others.

use std::ops::RangeInclusive;

use anyhow::{Context, Result};

/// A line of `CLUSTER NODES`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) port: u16,
    pub(super) is_primary: bool,
    /// Its name is the one it has itself: they have shaken hands.
    pub(super) is_known: bool,
    /// Id of its primary.
    pub(super) follows: Option<String>,
    pub(super) slots: Vec<RangeInclusive<usize>>,
}

impl Node {
    /// `<id> <ip>:<port>@<bus> <flags> <primary|-> <ping> <pong> <epoch> <link> <slots...>`; slots that move are in
    /// brackets.
    pub(super) fn parse(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, address, flags, primary, _, _, _, link, slots @ ..] = &words[..] else {
            anyhow::bail!("a node like no other: {line}");
        };
        let port = address.split(['@', ',']).next().and_then(|address| address.rsplit(':').next()?.parse().ok());
        let flags: Vec<&str> = flags.split(',').collect();
        let range = |slots: &&str| {
            let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
            Some(first.parse().ok()?..=last.parse().ok()?)
        };
        Ok(Self {
            port: port.with_context(|| format!("a node without a port: {line}"))?,
            is_primary: flags.contains(&"master") && !flags.contains(&"fail"),
            is_known: !flags.contains(&"handshake") && *link == "connected",
            follows: (*primary != "-").then(|| (*primary).to_owned()),
            slots: slots.iter().filter_map(range).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Node;

    #[test]
    fn nodes_are_read_from_what_the_server_prints() {
        let node = |line| Node::parse(line).expect("a node");
        let primary =
            node("07c3 127.0.0.1:30004@31004,host myself,master - 0 1426238317239 4 connected 1-5 7 [8->-67ed]");
        assert_eq!((primary.port, primary.is_primary, primary.is_known, primary.follows), (30004, true, true, None));
        assert_eq!(primary.slots, [1..=5, 7..=7]);
        let replica = node("67ed 127.0.0.1:30002@31002 slave 07c3 0 1426238316232 2 connected");
        assert_eq!((replica.is_primary, replica.follows.as_deref()), (false, Some("07c3")));
        assert!(!node("67ed 127.0.0.1:30002@31002 master,fail - 0 1 2 disconnected 9").is_primary);
        assert!(!node("67ed 127.0.0.1:30002@31002 handshake - 0 1 2 connected").is_known);
        assert!(Node::parse("vars currentEpoch 6").is_err());
    }
}
