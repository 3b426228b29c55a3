//! `CMS.INCRBY`, `CMS.QUERY` and `CMS.INFO`.

use crate::ffi::cms_call::Call;
use eddyline_wire::command::cms::{CmsError, Increments};

pub(super) fn incr_by(call: &mut Call<'_>) -> Result<(), CmsError> {
    let (reply, arguments) = (call.reply(), call.arguments);
    let increments = Increments::pairs(arguments.get(1..).unwrap_or_default())?;
    let mut sketch = call.sketch_mut(0)?;
    let increments = increments.check()?.iter();
    reply.array(increments.len());
    for (item, n) in increments {
        match sketch.add(item, n) {
            // The original can't tell full cells from cells that just hold their most.
            u32::MAX => reply.error(&CmsError::Full.to_string()),
            estimate => reply.integer(estimate.into()),
        }
    }
    drop(sketch);
    call.replicate();
    Ok(())
}

pub(super) fn query(call: &mut Call<'_>) -> Result<(), CmsError> {
    let [_, items @ ..] = call.arguments else { return Err(CmsError::Arity("cms.query")) };
    let sketch = call.sketch(0)?;
    call.reply().array(items.len());
    for item in items {
        call.reply().integer(sketch.estimate(item).into());
    }
    Ok(())
}

pub(super) fn info(call: &mut Call<'_>) -> Result<(), CmsError> {
    let sketch = call.sketch(0)?;
    let (width, depth) = sketch.shape();
    let reply = call.reply();
    reply.map(3);
    for (name, value) in [(c"width", width.cast_signed()), (c"depth", depth.cast_signed()), (c"count", sketch.count())]
    {
        reply.word(name);
        reply.integer(value);
    }
    Ok(())
}
