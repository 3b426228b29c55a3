//! `CMS.MERGE`.

use crate::ffi::cms_call::{Call, Opened};
use eddyline_sketch::{ClassicCountMin, SketchError};
use eddyline_wire::command::cms::{CmsError, Merge};

/// The destination may be among the sources: their sum is made beside it and then takes its place.
pub(super) fn merge(call: &mut Call<'_>) -> Result<(), CmsError> {
    let shape = call.sketch(0)?.shape();
    let merge = Merge::parse(call.arguments.get(1..).unwrap_or_default())?;
    let sketches = sources(call, &merge, shape)?;
    let weighted: Vec<_> = sketches.iter().map(|(sketch, weight)| (&**sketch, *weight)).collect();
    let sum = ClassicCountMin::weighted_sum(&weighted).map_err(|error| match error {
        SketchError::Overflow => CmsError::MergeOverflow,
        _ => CmsError::ShapesDiffer,
    })?;
    drop(sketches);
    *call.sketch_mut(0)? = sum;
    call.replicate();
    call.reply().word(c"OK");
    Ok(())
}

/// The sources with their weights; the first that isn't as it must be is told.
fn sources<'c>(call: &'c Call<'_>, merge: &Merge<'_>, shape: (u64, u64)) -> Result<Vec<(Opened<'c>, i64)>, CmsError> {
    /// Keys start behind the destination and the number of sources.
    const FIRST: usize = 2;
    (0..merge.sources.len())
        .map(|at| {
            let weight = merge.weight(at)?;
            let sketch = call.sketch(FIRST + at)?;
            if sketch.shape() != shape {
                return Err(CmsError::ShapesDiffer);
            }
            Ok((sketch, weight))
        })
        .collect()
}
