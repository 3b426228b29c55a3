use siphasher::sip::SipHasher13;

use crate::ItemHash;

/// Bytes before a filter's bits.
const HEADER: usize = 45;
/// Largest prime below 2^64.
const PRIME: u64 = 0xffff_ffff_ffff_ffc5;
/// Room for the places of one item: an error rate of 0.000001 takes 20.
type Places = [u32; 24];

/// Looks into the bits of the crate's filters: where an item's are is worked out once for the pair, and without the crate's
/// divisions, which cost more than everything else about it. Only looks: filters are made, changed and stored by the crate.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    functions: usize,
    bits: u64,
    /// `(2^64 - 1) / bits`.
    reciprocal: u64,
    sips: [SipHasher13; 2],
}

impl Reader {
    /// For filters of so many bits and hash functions, made with this seed.
    pub(super) fn new(bits: u64, functions: u32, seed: &[u8; 32]) -> Self {
        let half = |from: usize| SipHasher13::new_with_key(&std::array::from_fn(|i| seed[from + i]));
        let functions = (functions as usize).min(size_of::<Places>() / size_of::<u32>());
        Self { functions, bits, reciprocal: u64::MAX / bits, sips: [half(0), half(16)] }
    }

    /// Calls `f` with the places of an item's bits.
    #[inline]
    pub(super) fn with_places<R>(&self, hash: ItemHash, f: impl FnOnce(&[u32]) -> R) -> R {
        let item = hash.to_bits().to_le_bytes();
        let [first, step] = [self.sips[0].hash(&item), self.sips[1].hash(&item)];
        let mut room = Places::default();
        let places = &mut room[..self.functions];
        let mut sum = first.wrapping_add(step);
        for (i, place) in places.iter_mut().enumerate() {
            let at = match i {
                0 => first,
                1 => step,
                _ => {
                    sum = sum.wrapping_add(step);
                    if sum >= PRIME { sum - PRIME } else { sum }
                }
            };
            *place = self.remainder(at);
        }
        f(places)
    }

    /// `place % bits`: the reciprocal gives the quotient or one less.
    #[inline]
    fn remainder(&self, place: u64) -> u32 {
        let quotient = ((u128::from(place) * u128::from(self.reciprocal)) >> 64) as u64;
        let rest = place - quotient * self.bits;
        (if rest >= self.bits { rest - self.bits } else { rest }) as u32
    }
}

/// Whether all bits at `places` of a filter's bytes are set.
#[inline]
pub(super) fn knows(filter: &[u8], places: &[u32]) -> bool {
    let bits = &filter[HEADER..];
    places.iter().all(|place| bits[(place / 8) as usize] >> (place % 8) & 1 == 1)
}
