//! Weighted means and covariances of a vector, without its history.

use serde::{Deserialize, Serialize};

/// Sums of values and products, shifted by the first vector so that large values with a small spread keep their digits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Moments {
    weight: f64,
    origin: Vec<f64>,
    sums: Vec<f64>,
    /// Lower triangle, row by row.
    products: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Moments {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            weight: 0.0,
            origin: Vec::new(),
            sums: vec![0.0; size],
            products: vec![0.0; size * (size + 1) / 2],
            low: vec![0.0; size],
            high: vec![0.0; size],
        }
    }

    /// Sum of the weights.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// Adds a vector of finite values.
    pub(crate) fn add(&mut self, values: &[f64], weight: f64) {
        if self.origin.is_empty() {
            self.origin = values.to_vec();
        }
        let shifted: Vec<f64> = values.iter().zip(&self.origin).map(|(value, origin)| value - origin).collect();
        let mut start = 0;
        for (row, value) in shifted.iter().enumerate() {
            let weighted = value * weight;
            self.sums[row] += weighted;
            self.low[row] = self.low[row].min(*value);
            self.high[row] = self.high[row].max(*value);
            for (product, other) in self.products[start..=start + row].iter_mut().zip(&shifted) {
                *product += weighted * other;
            }
            start += row + 1;
        }
        self.weight += weight;
    }

    /// Forgets: keeps a total weight of at most `horizon`.
    pub(crate) fn fade_to(&mut self, horizon: f64) {
        if self.weight > horizon {
            let keep = horizon / self.weight;
            self.weight *= keep;
            self.sums.iter_mut().chain(&mut self.products).for_each(|sum| *sum *= keep);
        }
    }

    /// Mean of an element; 0 before the first vector.
    pub(crate) fn mean(&self, index: usize) -> f64 {
        match self.origin.get(index) {
            Some(origin) => origin + self.sums[index] / self.weight,
            None => 0.0,
        }
    }

    /// Covariance of two elements, `row >= column`.
    pub(crate) fn covariance(&self, row: usize, column: usize) -> f64 {
        let product = self.products[row * (row + 1) / 2 + column];
        (product - self.sums[row] * self.sums[column] / self.weight) / self.weight
    }

    /// Standard deviation of an element.
    pub(crate) fn deviation(&self, index: usize) -> f64 {
        if self.weight == 0.0 {
            return 0.0;
        }
        self.covariance(index, index).max(0.0).sqrt()
    }

    /// Widest spread an element has had.
    pub(crate) fn range(&self, index: usize) -> f64 {
        self.high[index] - self.low[index]
    }

    pub(crate) fn is_consistent(&self, size: usize) -> bool {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        let lengths = [&self.sums, &self.low, &self.high].iter().all(|values| values.len() == size && finite(values));
        lengths
            && self.weight.is_finite()
            && self.weight >= 0.0
            && (self.origin.len() == size && self.weight > 0.0 || self.origin.is_empty() && self.weight == 0.0)
            && finite(&self.origin)
            && self.products.len() == size * (size + 1) / 2
            && finite(&self.products)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_spread_on_a_large_value_keeps_its_digits() {
        let mut moments = Moments::new(2);
        for step in 0..1000 {
            let wave = f64::from(step % 2);
            moments.add(&[1e9 + wave, -wave], 1.0);
        }
        assert!((moments.mean(0) - 1e9 - 0.5).abs() < 1e-6);
        assert!((moments.deviation(0) - 0.5).abs() < 1e-9);
        assert!((moments.covariance(1, 0) + 0.25).abs() < 1e-9);
        assert_eq!(moments.range(1), 1.0);
    }

    #[test]
    fn fading_keeps_the_moments() {
        let mut moments = Moments::new(1);
        (0..100).for_each(|step| moments.add(&[f64::from(step)], 1.0));
        let before = (moments.mean(0), moments.deviation(0));
        moments.fade_to(10.0);
        assert_eq!(moments.weight(), 10.0);
        assert!((moments.mean(0) - before.0).abs() < 1e-9 && (moments.deviation(0) - before.1).abs() < 1e-9);
    }
}
