/// SipHash-1-3 (Aumasson, Bernstein 2012) of one 64-bit number, with a fixed key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sip13([u64; 4]);

impl Sip13 {
    /// With a key of 16 bytes.
    pub(super) fn new(key: &[u8]) -> Self {
        let half = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        let (k0, k1) = (half(&key[..8]), half(&key[8..]));
        // "somepseudorandomlygeneratedbytes"
        Self([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    /// Hash of the number's 8 bytes, least significant first.
    #[inline]
    pub(super) fn of(self, number: u64) -> u64 {
        /// The last block holds the length alone.
        const LENGTH: u64 = 8 << 56;
        let mut state = self.0;
        for block in [number, LENGTH] {
            state[3] ^= block;
            state = round(state);
            state[0] ^= block;
        }
        state[2] ^= 0xff;
        let [a, b, c, d] = round(round(round(state)));
        a ^ b ^ c ^ d
    }
}

#[inline]
fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    [a, b, c, d]
}
