//! Cholesky factor of a positive definite matrix, packed, for distances and linear equations.

use serde::{Deserialize, Serialize};

/// Lower triangle `L` with `L·Lᵀ` = the matrix, row by row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cholesky {
    size: usize,
    rows: Vec<f32>,
}

impl Cholesky {
    /// Factors the matrix whose element (row, column), `row >= column`, is `element`; none if it isn't positive definite.
    pub(crate) fn factor(size: usize, element: impl Fn(usize, usize) -> f64) -> Option<Self> {
        let mut rows: Vec<f64> = Vec::with_capacity(size * (size + 1) / 2);
        for row in 0..size {
            let start = rows.len();
            for column in 0..=row {
                let other = column * (column + 1) / 2;
                let mut dot = 0.0;
                for k in 0..column {
                    dot += rows[start + k] * rows[other + k];
                }
                let rest = element(row, column) - dot;
                if column < row {
                    let pivot = rows[other + column];
                    rows.push(rest / pivot);
                } else if rest > 1e-12 {
                    rows.push(rest.sqrt());
                } else {
                    return None;
                }
            }
        }
        Some(Self { size, rows: rows.into_iter().map(|value| value as f32).collect() })
    }

    fn row(&self, row: usize) -> &[f32] {
        let start = row * (row + 1) / 2;
        &self.rows[start..=start + row]
    }

    /// Replaces `x` by `L⁻¹·x`; its squared length is then `xᵀ·matrix⁻¹·x`.
    pub(crate) fn forward(&self, x: &mut [f32]) {
        for row in 0..self.size {
            let factors = self.row(row);
            let known = dot(&factors[..row], &x[..row]);
            x[row] = (x[row] - known) / factors[row];
        }
    }

    /// Replaces `x` by `L⁻ᵀ·x`; after [`Self::forward`], `x` is `matrix⁻¹·x`.
    pub(crate) fn backward(&self, x: &mut [f32]) {
        for row in (0..self.size).rev() {
            let factors = self.row(row);
            x[row] /= factors[row];
            let value = x[row];
            for (rest, factor) in x[..row].iter_mut().zip(factors) {
                *rest -= factor * value;
            }
        }
    }

    pub(crate) fn is_consistent(&self, size: usize) -> bool {
        self.size == size
            && self.rows.len() == size * (size + 1) / 2
            && self.rows.iter().all(|value| value.is_finite())
            && (0..size).all(|row| self.row(row)[row] > 0.0)
    }
}

/// Dot product in eight fixed lanes: as fast as the vector unit allows, and the same bits everywhere.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; 8];
    let (a_lanes, b_lanes) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a_lanes.remainder().iter().zip(b_lanes.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_lanes.zip(b_lanes) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_solves_the_equations_it_factored() {
        let matrix = |row: usize, column: usize| {
            1.0 / (1.0 + row.abs_diff(column) as f64) + if row == column { 1.0 } else { 0.0 }
        };
        let size = 21;
        let factor = Cholesky::factor(size, matrix).unwrap();
        let truth: Vec<f32> = (0..size).map(|i| (i as f32 * 0.7).sin()).collect();
        let mut x: Vec<f32> =
            (0..size).map(|row| (0..size).map(|column| matrix(row, column) as f32 * truth[column]).sum()).collect();
        factor.forward(&mut x);
        factor.backward(&mut x);
        assert!(x.iter().zip(&truth).all(|(x, truth)| (x - truth).abs() < 1e-4), "{x:?}");
        assert!(factor.is_consistent(size) && !factor.is_consistent(size + 1));
    }

    #[test]
    fn an_indefinite_matrix_has_no_factor() {
        assert!(Cholesky::factor(2, |row, column| if row == column { 1.0 } else { 2.0 }).is_none());
    }
}
