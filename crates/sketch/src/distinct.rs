use serde::{Deserialize, Serialize};

use crate::{ItemHash, SketchError};

const PRECISIONS: std::ops::RangeInclusive<u8> = 10..=14;

/// Number of distinct items: HyperLogLog with `2^precision` one-byte registers.
///
/// The estimate is Ertl's improved one ("New cardinality estimation algorithms for HyperLogLog sketches", 2017,
/// algorithm 6): no bias tables, no switch between ranges, and only arithmetic that IEEE 754 makes exact alike
/// everywhere. Its relative standard error is `1.04 / sqrt(2^precision)`: 3.3 % at 10, 1.6 % at 12, 0.8 % at 14.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Distinct {
    precision: u8,
    registers: Vec<u8>,
}

impl Distinct {
    /// An empty sketch of `2^precision` bytes; precision 10 to 14.
    pub fn new(precision: u8) -> Result<Self, SketchError> {
        if !PRECISIONS.contains(&precision) {
            return Err(SketchError::OutOfRange { what: "precision", allowed: "10 to 14" });
        }
        Ok(Self { precision, registers: vec![0; 1 << precision] })
    }

    /// Adds an item.
    #[inline]
    pub fn add(&mut self, hash: ItemHash) {
        let bits = hash.to_bits();
        let register = &mut self.registers[(bits >> (64 - self.precision)) as usize];
        // The sentinel below the rest of the hash bounds the rank: 1 to 65 - precision.
        let rest = bits << self.precision | 1 << (self.precision - 1);
        let rank = rest.leading_zeros() as u8 + 1;
        *register = (*register).max(rank);
    }

    /// Estimated number of distinct items; 0 when empty.
    pub fn estimate(&self) -> f64 {
        let m = self.registers.len() as f64;
        let top = usize::from(highest_rank(self.precision));
        let of_rank = self.registers_by_rank();
        let mut z = m * tau(1.0 - f64::from(of_rank[top]) / m);
        for rank in (1..top).rev() {
            z = 0.5 * (z + f64::from(of_rank[rank]));
        }
        z += m * sigma(f64::from(of_rank[0]) / m);
        m * m / (2.0 * std::f64::consts::LN_2 * z)
    }

    /// Registers of each rank, counted in lanes that don't wait for each other.
    fn registers_by_rank(&self) -> [u32; 65] {
        let mut lanes = [[0u32; 65]; 4];
        for registers in self.registers.as_chunks::<4>().0 {
            for (lane, &register) in lanes.iter_mut().zip(registers) {
                lane[usize::from(register)] += 1;
            }
        }
        std::array::from_fn(|rank| lanes.iter().map(|lane| lane[rank]).sum())
    }

    /// Afterwards this sketch has seen what either has; both must have the same precision.
    pub fn merge(&mut self, other: &Self) -> Result<(), SketchError> {
        if self.precision != other.precision {
            return Err(SketchError::ShapeMismatch);
        }
        for (register, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *register = (*register).max(*theirs);
        }
        Ok(())
    }

    /// Back to empty.
    pub fn clear(&mut self) {
        self.registers.fill(0);
    }

    /// Memory held, in bytes; fixed at construction.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.registers.len()
    }
}

/// Rank of a hash whose bits past the register's number are all zero.
fn highest_rank(precision: u8) -> u8 {
    65 - precision
}

/// `x + sum of x^(2^k) * 2^(k-1)` over k from 1 (Ertl); infinite at 1, which makes an empty sketch estimate 0.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let mut weight = 1.0;
    let mut sum = x;
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum == before {
            return sum;
        }
    }
}

/// `(1 - x - sum of (1 - x^(2^-k))^2 * 2^-k) / 3` over k from 1 (Ertl).
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let mut weight = 1.0;
    let mut sum = 1.0 - x;
    loop {
        x = x.sqrt();
        let before = sum;
        weight *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum == before {
            return sum / 3.0;
        }
    }
}

#[derive(Deserialize)]
struct Unchecked {
    precision: u8,
    registers: Vec<u8>,
}

impl TryFrom<Unchecked> for Distinct {
    type Error = SketchError;

    fn try_from(raw: Unchecked) -> Result<Self, SketchError> {
        if !PRECISIONS.contains(&raw.precision) || raw.registers.len() != 1 << raw.precision {
            return Err(SketchError::Corrupt("registers don't fit the precision"));
        }
        let highest = highest_rank(raw.precision);
        if raw.registers.iter().any(|&rank| rank > highest) {
            return Err(SketchError::Corrupt("register above its highest rank"));
        }
        Ok(Self { precision: raw.precision, registers: raw.registers })
    }
}
