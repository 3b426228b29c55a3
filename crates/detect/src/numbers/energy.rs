//! Recent energy of each feature: what keeps moving stays visible after its first jolt, and is forgotten at once when it
//! has been still for long enough, however large the jolt was.

use serde::{Deserialize, Serialize};

/// Squares of the last windows' values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Energy {
    /// Windows that add up.
    windows: usize,
    /// One row a window, newest first.
    squares: Vec<Vec<f32>>,
    /// Root mean square of each feature; windows that there weren't count as 0.
    roots: Vec<f32>,
}

impl Energy {
    pub(crate) fn new(features: usize, windows: usize) -> Self {
        Self { windows, squares: Vec::with_capacity(windows), roots: vec![0.0; features] }
    }

    /// Takes a window's values in.
    pub(crate) fn push(&mut self, values: impl Iterator<Item = f32>) {
        let mut row =
            if self.squares.len() == self.windows { self.squares.pop().unwrap_or_default() } else { Vec::new() };
        row.clear();
        row.extend(values.map(|value| value * value));
        self.squares.insert(0, row);
        self.roots.fill(0.0);
        for row in &self.squares {
            self.roots.iter_mut().zip(row).for_each(|(sum, square)| *sum += square);
        }
        self.roots.iter_mut().for_each(|root| *root = (*root / self.windows as f32).sqrt());
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.squares.clear();
        self.roots.fill(0.0);
    }

    /// Root mean square of a feature's recent values.
    pub(crate) fn root(&self, feature: usize) -> f32 {
        self.roots[feature]
    }

    pub(crate) fn is_consistent(&self, features: usize, windows: usize) -> bool {
        let sound = |values: &Vec<f32>| {
            values.len() == features && values.iter().all(|value| value.is_finite() && *value >= 0.0)
        };
        self.windows == windows && self.squares.len() <= windows && self.squares.iter().all(sound) && sound(&self.roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_for_its_windows_and_no_longer() {
        let mut energy = Energy::new(1, 7);
        (0..7).for_each(|_| energy.push([-3.0].into_iter()));
        assert!((energy.root(0) - 3.0).abs() < 1e-5);
        (1..7).for_each(|_| energy.push([0.0].into_iter()));
        assert!((1.1..1.2).contains(&energy.root(0)), "{}", energy.root(0));
        energy.push([0.0].into_iter());
        assert_eq!(energy.root(0), 0.0);
    }
}
