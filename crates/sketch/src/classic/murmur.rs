//! MurmurHash2, 32 bits (Austin Appleby, public domain): the hash of the classic sketch.

use std::array::from_fn;

const MULTIPLIER: u32 = 0x5bd1_e995;

/// The hashes of `item` under `N` seeds, from `first` upwards. The item is read and mixed once for all of them.
#[inline]
pub(super) fn hashes<const N: usize>(item: &[u8], first: u32) -> [u32; N] {
    let mut hashes: [u32; N] = from_fn(|lane| first.wrapping_add(lane as u32) ^ item.len() as u32);
    let (blocks, tail) = item.as_chunks::<4>();
    for block in blocks {
        let mut mixed = u32::from_le_bytes(*block).wrapping_mul(MULTIPLIER);
        mixed = (mixed ^ (mixed >> 24)).wrapping_mul(MULTIPLIER);
        hashes = hashes.map(|hash| hash.wrapping_mul(MULTIPLIER) ^ mixed);
    }
    if !tail.is_empty() {
        let rest = tail.iter().rev().fold(0, |rest, &byte| rest << 8 | u32::from(byte));
        hashes = hashes.map(|hash| (hash ^ rest).wrapping_mul(MULTIPLIER));
    }
    hashes.map(|hash| {
        let hash = (hash ^ (hash >> 13)).wrapping_mul(MULTIPLIER);
        hash ^ (hash >> 15)
    })
}

#[cfg(test)]
mod tests {
    use super::hashes;

    #[test]
    fn hashes_are_those_of_every_stored_sketch() {
        let golden: [(&str, [u32; 5]); 5] = [
            ("", [0x0000_0000, 0x5bd1_5e36, 0xb7a2_bc6d, 0x1375_9a54, 0x6f47_78db]),
            ("a", [0x9268_5f5e, 0x2550_b18c, 0x2cf6_2649, 0x86b7_b9f4, 0xb9b6_c23e]),
            ("foo", [0x8fea_6375, 0x0bcc_2e5a, 0x71b5_1c90, 0x03f3_0a09, 0x5fc1_bbbb]),
            ("foobar", [0x6715_a92e, 0x0859_b284, 0x1d2a_589e, 0xab5c_bc8c, 0x50ed_da74]),
            ("hello world", [0x44a8_1419, 0x83ea_5dee, 0xd94a_2afb, 0xc1b1_edd0, 0x0c15_4bc6]),
        ];
        for (item, expected) in golden {
            assert_eq!(hashes(item.as_bytes(), 0), expected, "{item}");
            for (seed, hash) in (0..).zip(expected) {
                assert_eq!(hashes(item.as_bytes(), seed), [hash], "{item} {seed}");
            }
        }
    }
}
