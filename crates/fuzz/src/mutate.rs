//! Damage: what a bad disk, a cut transfer or an enemy makes of bytes that were good.

use crate::chance::Chance;

/// Extreme numbers as the encodings write them: varints of all ones, floats that are none.
const EXTREMES: [&[u8]; 6] = [
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x10],
    &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
    &[0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
];

/// Bytes of head and tail.
const END: usize = 200;

/// Damages `bytes` in one place or a few; `other` is what a piece may come from.
pub(crate) fn damage(bytes: &[u8], other: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..*chance.pick(&[1, 1, 1, 1, 1, 2, 2, 4]) {
        damage_once(&mut bytes, other, chance);
    }
    bytes
}

fn damage_once(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    // between head and tail of an encoding lie mostly counters, of which any is as good as another
    let at = match chance.below(3) {
        0 => chance.below(bytes.len().min(END)),
        1 => bytes.len() - 1.min(bytes.len()) - chance.below(bytes.len().min(END)),
        _ => chance.below(bytes.len()),
    };
    match chance.below(12) {
        0 => bytes.truncate(at),
        1 => {
            bytes.drain(at..(at + 1 + chance.below(8)).min(bytes.len()).max(at));
        }
        2 => {
            let piece = chance.bytes(8);
            bytes.splice(at..at, piece);
        }
        3 if !other.is_empty() => {
            let from = chance.below(other.len());
            let to = (from + 1 + chance.below(64)).min(other.len());
            let end = (at + to - from).min(bytes.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        4 if !other.is_empty() => {
            bytes.truncate(at);
            bytes.extend(&other[chance.below(other.len())..]);
        }
        5 => {
            let piece = *chance.pick(&EXTREMES);
            let end = (at + if chance.once_in(2) { piece.len() } else { 1 }).min(bytes.len());
            bytes.splice(at..end, piece.iter().copied());
        }
        6 | 7 if !bytes.is_empty() => bytes[at] = chance.byte(),
        8 if !bytes.is_empty() => bytes[at] = bytes[at].wrapping_add(1),
        _ if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
        _ => bytes.push(chance.byte()),
    }
}

#[cfg(test)]
mod tests {
    use super::damage;
    use crate::chance::Chance;

    #[test]
    fn anything_can_be_damaged_and_most_of_it_is() {
        let mut chance = Chance::new(1, "damage");
        let good: Vec<u8> = (0..100).collect();
        let unharmed = (0..1000).filter(|_| damage(&good, b"other", &mut chance) == good).count();
        assert!(unharmed < 100, "{unharmed}");
        for _ in 0..1000 {
            damage(&[], &[], &mut chance);
        }
    }
}
