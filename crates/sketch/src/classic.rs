//! The count-min sketch of RedisBloom's `CMS.*`: its hash, its layout, its rounding, so that its dumps mean the same here.

mod murmur;

use crate::SketchError;

/// Rows whose hashes are made together.
const LANES: usize = 8;
/// Bytes of a cell.
const CELL: usize = 4;

/// Count-min sketch with plain updates, compatible with RedisBloom's `CMSk-TYPE` (encoding 0).
///
/// Row after row of 32-bit little-endian cells, kept as the bytes that are stored. The column of an item in row `r` is
/// its MurmurHash2 with seed `r`, modulo the width. Cells stop at 2³² − 1; the count of all additions wraps, as the
/// original's does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicCountMin {
    width: usize,
    count: i64,
    cells: Box<[u8]>,
}

impl ClassicCountMin {
    /// The shape for estimates that are at most `error` of the count too high, but for a share of `probability` of the
    /// items; both between 0 and 1, exclusive. The depth is computed in single precision, as the original's is. It may
    /// be 0 and the width beyond all memory: [`bytes`](Self::bytes) tells.
    #[must_use]
    pub fn shape_for(error: f64, probability: f64) -> (u64, u64) {
        let depth = libm::ceilf(libm::log10f(probability as f32) / libm::log10f(0.5));
        (libm::ceil(2.0 / error) as u64, depth as u64)
    }

    /// Bytes of the cells of a shape. None where a side is 0 or the cells are more than 2⁶³ − 1; [`usize::MAX`] where no
    /// machine holds them.
    #[must_use]
    pub fn bytes(width: u64, depth: u64) -> Option<usize> {
        let cells = width.checked_mul(depth).filter(|cells| (1..=i64::MAX as u64).contains(cells))?;
        let bytes = cells.checked_mul(CELL as u64).and_then(|bytes| isize::try_from(bytes).ok());
        Some(bytes.map_or(usize::MAX, isize::cast_unsigned))
    }

    /// An empty sketch.
    ///
    /// # Errors
    /// A shape without cells, or beyond a machine's memory.
    pub fn new(width: u64, depth: u64) -> Result<Self, SketchError> {
        match Self::bytes(width, depth) {
            Some(bytes) if bytes < usize::MAX => Self::from_parts(width, depth, 0, vec![0; bytes]),
            _ => Err(SketchError::OutOfRange { what: "width times depth", allowed: "1 to 2^61" }),
        }
    }

    /// The sketch of stored parts; the cells are checked against the shape before they are taken over.
    ///
    /// # Errors
    /// Cells that don't fill the shape.
    pub fn from_parts(
        width: u64,
        depth: u64,
        count: i64,
        cells: impl AsRef<[u8]> + Into<Box<[u8]>>,
    ) -> Result<Self, SketchError> {
        let bytes = Self::bytes(width, depth).filter(|&bytes| bytes < usize::MAX);
        match usize::try_from(width) {
            Ok(width) if bytes == Some(cells.as_ref().len()) => Ok(Self { width, count, cells: cells.into() }),
            _ => Err(SketchError::Corrupt("cells don't fit the shape")),
        }
    }

    /// Adds `n` to the item's cell in every row. Gives the item's new estimate; 2³² − 1 says that its cells are full.
    #[inline]
    pub fn add(&mut self, item: &[u8], n: u64) -> u32 {
        let row_bytes = self.width * CELL;
        let mut least = u32::MAX;
        let mut seed = 0;
        for rows in self.cells.chunks_mut(row_bytes.saturating_mul(LANES)) {
            let hashes: [u32; LANES] = murmur::hashes(item, seed);
            for (row, hash) in rows.chunks_exact_mut(row_bytes).zip(hashes) {
                let cell = &mut row.as_chunks_mut::<CELL>().0[column(hash, self.width)];
                let raised = u64::from(u32::from_le_bytes(*cell)).saturating_add(n).min(u64::from(u32::MAX)) as u32;
                *cell = raised.to_le_bytes();
                least = least.min(raised);
            }
            seed += LANES as u32;
        }
        self.count = self.count.wrapping_add_unsigned(n);
        least
    }

    /// The item's estimate: never below its count, until cells are full.
    #[must_use]
    pub fn estimate(&self, item: &[u8]) -> u32 {
        let row_bytes = self.width * CELL;
        let mut least = u32::MAX;
        let mut seed = 0;
        for rows in self.cells.chunks(row_bytes.saturating_mul(LANES)) {
            let hashes: [u32; LANES] = murmur::hashes(item, seed);
            for (row, hash) in rows.chunks_exact(row_bytes).zip(hashes) {
                least = least.min(u32::from_le_bytes(row.as_chunks::<CELL>().0[column(hash, self.width)]));
            }
            seed += LANES as u32;
        }
        least
    }

    /// The weighted sum of sketches of one shape, of which there is at least one.
    ///
    /// # Errors
    /// Shapes that differ; a cell outside of 0 to 2³² − 1 or a count outside of 0 to 2⁶³ − 1.
    pub fn weighted_sum(sketches: &[(&Self, i64)]) -> Result<Self, SketchError> {
        let Some((first, _)) = sketches.first() else { return Err(SketchError::ShapeMismatch) };
        if sketches.iter().any(|(sketch, _)| sketch.shape() != first.shape()) {
            return Err(SketchError::ShapeMismatch);
        }
        // Summed as wide as can be: what leaves the range in between may come back.
        let total: i128 = sketches.iter().map(|&(sketch, weight)| i128::from(sketch.count) * i128::from(weight)).sum();
        let count = i64::try_from(total).ok().filter(|&count| count >= 0).ok_or(SketchError::Overflow)?;
        let mut cells: Box<[u8]> = vec![0; first.cells.len()].into();
        for (at, cell) in cells.as_chunks_mut::<CELL>().0.iter_mut().enumerate() {
            let total: i128 = sketches.iter().map(|(sketch, weight)| sketch.cell(at) * i128::from(*weight)).sum();
            *cell = u32::try_from(total).map_err(|_| SketchError::Overflow)?.to_le_bytes();
        }
        Ok(Self { width: first.width, count, cells })
    }

    fn cell(&self, at: usize) -> i128 {
        i128::from(u32::from_le_bytes(self.cells.as_chunks::<CELL>().0[at]))
    }

    /// Width and depth.
    #[must_use]
    pub fn shape(&self) -> (u64, u64) {
        let depth = self.cells.len() / CELL / self.width;
        (self.width as u64, depth as u64)
    }

    /// Sum of all additions, wrapped around 2⁶⁴ and so perhaps negative.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The cells as they are stored.
    #[must_use]
    pub fn cells(&self) -> &[u8] {
        &self.cells
    }
}

/// The column of a hash; one that is at least 2³² wide has a column for every hash.
#[inline]
fn column(hash: u32, width: usize) -> usize {
    u32::try_from(width).map_or(hash, |width| hash % width) as usize
}
