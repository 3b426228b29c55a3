//! The sketch of `CMS.*`, against what the original stores and against a model that is as plain as can be.

use eddyline_sketch::{ClassicCountMin, SketchError};
use proptest::prelude::*;

/// Rows of numbers and MurmurHash2 by its definition, one byte at a time.
struct Model {
    width: u64,
    rows: Vec<Vec<u128>>,
    count: i128,
}

impl Model {
    fn new(width: u64, depth: u64) -> Self {
        Self { width, rows: vec![vec![0; width as usize]; depth as usize], count: 0 }
    }

    fn column(&self, item: &[u8], row: usize) -> usize {
        let m = 0x5bd1_e995u32;
        let mut hash = row as u32 ^ item.len() as u32;
        let whole = item.len() / 4 * 4;
        for at in (0..whole).step_by(4) {
            let mut k = (0..4).map(|byte| u32::from(item[at + byte]) << (8 * byte)).sum::<u32>().wrapping_mul(m);
            k ^= k >> 24;
            hash = hash.wrapping_mul(m) ^ k.wrapping_mul(m);
        }
        for at in (whole..item.len()).rev() {
            hash ^= u32::from(item[at]) << (8 * (at - whole));
            if at == whole {
                hash = hash.wrapping_mul(m);
            }
        }
        hash ^= hash >> 13;
        hash = hash.wrapping_mul(m);
        (u64::from(hash ^ (hash >> 15)) % self.width) as usize
    }

    fn add(&mut self, item: &[u8], n: u64) {
        for row in 0..self.rows.len() {
            let column = self.column(item, row);
            let cell = &mut self.rows[row][column];
            *cell = (*cell + u128::from(n)).min(u128::from(u32::MAX));
        }
        self.count += i128::from(n);
    }

    fn estimate(&self, item: &[u8]) -> u128 {
        (0..self.rows.len()).map(|row| self.rows[row][self.column(item, row)]).min().expect("a row")
    }

    fn bytes(&self) -> Vec<u8> {
        self.rows.iter().flatten().flat_map(|&cell| (cell as u32).to_le_bytes()).collect()
    }
}

fn shape() -> impl Strategy<Value = (u64, u64)> {
    (1..40u64, 1..20u64)
}

fn additions() -> impl Strategy<Value = Vec<(Vec<u8>, u64)>> {
    let item = prop::collection::vec(any::<u8>(), 0..14);
    let n = prop_oneof![8 => 0..100u64, 1 => 0..1u64 << 33, 1 => 0..=i64::MAX as u64];
    prop::collection::vec((item, n), 0..40)
}

fn filled((width, depth): (u64, u64), additions: &[(Vec<u8>, u64)]) -> ClassicCountMin {
    let mut sketch = ClassicCountMin::new(width, depth).expect("a shape");
    for (item, n) in additions {
        sketch.add(item, *n);
    }
    sketch
}

fn cells(sketch: &ClassicCountMin) -> Vec<i128> {
    sketch.cells().chunks(4).map(|cell| i128::from(u32::from_le_bytes(cell.try_into().expect("4 bytes")))).collect()
}

proptest! {
    #[test]
    fn counts_like_the_model((width, depth) in shape(), additions in additions()) {
        let mut model = Model::new(width, depth);
        let mut sketch = ClassicCountMin::new(width, depth)?;
        for (item, n) in &additions {
            model.add(item, *n);
            prop_assert_eq!(u128::from(sketch.add(item, *n)), model.estimate(item));
        }
        for (item, _) in &additions {
            prop_assert_eq!(u128::from(sketch.estimate(item)), model.estimate(item));
        }
        prop_assert_eq!(u128::from(sketch.estimate(b"never added")), model.estimate(b"never added"));
        prop_assert_eq!(sketch.cells(), model.bytes());
        prop_assert_eq!(sketch.count(), model.count as i64);
        prop_assert_eq!(sketch.shape(), (width, depth));
    }

    #[test]
    fn stored_parts_give_the_same_sketch(shape in shape(), additions in additions()) {
        let sketch = filled(shape, &additions);
        let again = ClassicCountMin::from_parts(shape.0, shape.1, sketch.count(), sketch.cells())?;
        prop_assert_eq!(sketch, again);
    }

    #[test]
    fn parts_that_dont_fit_are_refused(width: u64, depth: u64, small in shape(), cells in prop::collection::vec(0u8.., 0..300)) {
        for (width, depth) in [(width, depth), small, (small.0, depth), (width, small.1)] {
            let product = u128::from(width) * u128::from(depth);
            let fits = product > 0 && product.checked_mul(4) == Some(cells.len() as u128);
            prop_assert_eq!(ClassicCountMin::from_parts(width, depth, 0, &cells[..]).is_ok(), fits);
        }
    }

    #[test]
    fn sums_are_weighted_cell_by_cell_or_refused(
        shape in (1..6u64, 1..4u64), parts in prop::collection::vec((additions(), -3..4i64), 1..4),
    ) {
        let sketches: Vec<_> = parts.iter().map(|(additions, weight)| (filled(shape, additions), *weight)).collect();
        let sources: Vec<_> = sketches.iter().map(|(sketch, weight)| (sketch, *weight)).collect();
        let mut expected = vec![0i128; (shape.0 * shape.1) as usize];
        let mut count = 0i128;
        for (sketch, weight) in &sources {
            expected.iter_mut().zip(cells(sketch)).for_each(|(sum, cell)| *sum += cell * i128::from(*weight));
            count += i128::from(sketch.count()) * i128::from(*weight);
        }
        let holds = expected.iter().all(|cell| (0..1 << 32).contains(cell)) && (0..1 << 63).contains(&count);
        match ClassicCountMin::weighted_sum(&sources) {
            Ok(sum) => {
                prop_assert!(holds);
                prop_assert_eq!(cells(&sum), expected);
                prop_assert_eq!(i128::from(sum.count()), count);
            }
            Err(error) => {
                prop_assert!(!holds);
                prop_assert_eq!(error, SketchError::Overflow);
            }
        }
    }
}

#[test]
fn cells_stand_where_the_original_has_them() {
    let mut sketch = ClassicCountMin::new(7, 3).expect("a shape");
    for (item, n) in [("a", 1), ("foo", 10), ("hello world", 100), ("", 1000)] {
        sketch.add(item.as_bytes(), n);
    }
    let rows = [[1000, 0, 1, 0, 10, 100, 0], [10, 1000, 1, 0, 0, 100, 0], [100, 0, 0, 1010, 0, 1, 0]];
    assert_eq!(cells(&sketch), rows.concat());
    assert_eq!(sketch.count(), 1111);
}

#[test]
fn shapes_are_those_that_the_original_computes() {
    let depths = [
        (0.9, 1),
        (0.5, 1),
        (0.25, 2),
        (0.2, 3),
        (0.125, 3),
        (0.1, 4),
        (0.0625, 4),
        (0.05, 5),
        (0.02, 6),
        (0.01, 7),
        (0.007_812_5, 7),
        (0.005, 8),
        (0.003_906_25, 8),
        (0.001, 10),
        (0.000_976_562_5, 10),
        (1e-4, 14),
        (1e-5, 17),
        (1e-6, 20),
        (0.999_999_999_999_999_9, 0),
        (1e-60, u64::MAX),
    ];
    for (probability, depth) in depths {
        assert_eq!(ClassicCountMin::shape_for(0.01, probability), (200, depth), "{probability}");
    }
    let widths =
        [(0.3, 7), (0.1, 20), (0.07, 29), (0.03, 67), (0.001, 2000), (1e-4, 20_000), (0.9, 3), (1e-19, u64::MAX)];
    for (error, width) in widths {
        assert_eq!(ClassicCountMin::shape_for(error, 0.5), (width, 1), "{error}");
    }
}

#[test]
fn no_memory_is_asked_for_shapes_beyond_all_memory() {
    assert_eq!(ClassicCountMin::bytes(2000, 5), Some(40_000));
    assert_eq!(ClassicCountMin::bytes(0, 5), None);
    assert_eq!(ClassicCountMin::bytes(5, 0), None);
    assert_eq!(ClassicCountMin::bytes(1 << 32, 1 << 31), None);
    assert_eq!(ClassicCountMin::bytes(u64::MAX, u64::MAX), None);
    assert_eq!(ClassicCountMin::bytes(i64::MAX as u64, 1), Some(usize::MAX));
    assert!(ClassicCountMin::new(i64::MAX as u64, 1).is_err());
    assert!(ClassicCountMin::from_parts(1 << 62, 1, 0, &[][..]).is_err());
}

#[test]
fn sums_of_nothing_and_of_different_shapes_are_refused() {
    let [small, large] = [3, 4].map(|width| ClassicCountMin::new(width, 2).expect("a shape"));
    assert_eq!(ClassicCountMin::weighted_sum(&[(&small, 1), (&large, 1)]), Err(SketchError::ShapeMismatch));
    assert_eq!(ClassicCountMin::weighted_sum(&[]), Err(SketchError::ShapeMismatch));
}
