//! How much there may be at once: connections, bodies, and how long each may take.

use std::time::Duration;

/// What a body may have where its key says nothing, as it came and unpacked.
pub const BODY: usize = 8 << 20;
/// The most that a key may allow.
pub const MOST_BODY: usize = 32 << 20;
/// Bodies that are read, understood or waiting for Redis at once, in bytes. Understood, one takes several times its size.
pub const BODIES: usize = 64 << 20;

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once; more wait until one is over.
    pub connections: usize,
    /// Until the head of a request is there, from the end of the one before: longer than proxies keep idle connections, so
    /// that it is they who close them.
    pub head: Duration,
    /// In which a client takes nothing of what it is sent.
    pub taken: Duration,
    /// Of the head of a request, in bytes.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let (head, taken) = (Duration::from_secs(75), Duration::from_secs(30));
        Self { connections: 2000, head, taken, head_bytes: 32 << 10, headers: 64 }
    }
}
