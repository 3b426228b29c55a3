//! The hash slot of a key in a cluster.

/// Slots of a cluster.
const SLOTS: u16 = 16384;

/// The slot of `key`: CRC-16 (XMODEM) of its hash tag, which is the key where it has none.
#[must_use]
pub fn slot(key: &[u8]) -> u16 {
    tag(key).iter().fold(0, |crc, &byte| {
        (0..8)
            .fold(crc ^ (u16::from(byte) << 8), |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 })
    }) % SLOTS
}

/// What stands between the first opening brace and the next closing one, unless that is nothing.
#[must_use]
pub fn tag(key: &[u8]) -> &[u8] {
    let inner = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        rest.iter().position(|&byte| byte == b'}').map(|close| &rest[..close])
    });
    inner.filter(|tag| !tag.is_empty()).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis() {
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!((slot(b"{foo}:x"), slot(b"a{foo}{bar}")), (12182, 12182));
        assert_eq!(
            (tag(b"foo{}{bar}"), tag(b"foo{{bar}}"), tag(b"foo{bar")),
            (&b"foo{}{bar}"[..], &b"{bar"[..], &b"foo{bar"[..])
        );
    }
}
