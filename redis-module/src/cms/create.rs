//! `CMS.INITBYDIM`, `CMS.INITBYPROB`, and what an append-only file is rewritten to.

use crate::ffi::cms_call::Call;
use crate::ffi::cms_type::zeros;
use eddyline_sketch::ClassicCountMin;
use eddyline_wire::command::cms::{CmsError, MAX_BYTES, dimensions, rates, stored};
use redis_module::ContextFlags;

pub(super) fn init_by_dim(call: &mut Call<'_>) -> Result<(), CmsError> {
    let &[_, width, depth] = call.arguments else { return Err(CmsError::Arity("cms.initbydim")) };
    init(call, || dimensions(width, depth))
}

pub(super) fn init_by_prob(call: &mut Call<'_>) -> Result<(), CmsError> {
    let &[_, error, probability] = call.arguments else { return Err(CmsError::Arity("cms.initbyprob")) };
    init(call, || {
        let (error, probability) = rates(error, probability)?;
        Ok(ClassicCountMin::shape_for(error, probability))
    })
}

/// The key is looked up before the arguments are read.
fn init(call: &mut Call<'_>, shape: impl FnOnce() -> Result<(u64, u64), CmsError>) -> Result<(), CmsError> {
    // What a primary accepted, its replicas and its log accept.
    let bound = !call.context().get_flags().intersects(ContextFlags::REPLICATED | ContextFlags::LOADING);
    call.create(0, || {
        let (width, depth) = shape()?;
        let bytes = ClassicCountMin::bytes(width, depth).ok_or(CmsError::Shape)?;
        if bytes == usize::MAX || bound && bytes > MAX_BYTES {
            return Err(CmsError::Memory);
        }
        let cells = zeros(bytes).ok_or(CmsError::Memory)?;
        ClassicCountMin::from_parts(width, depth, 0, cells).map_err(|_| CmsError::Shape)
    })?;
    done(call)
}

pub(super) fn restore(call: &mut Call<'_>) -> Result<(), CmsError> {
    let &[_, width, depth, count, cells] = call.arguments else { return Err(CmsError::Arity("eddy.cmsrestore")) };
    call.create(0, || {
        let (width, depth, count) = stored(width, depth, count)?;
        ClassicCountMin::from_parts(width, depth, count, cells).map_err(|_| CmsError::Corrupt)
    })?;
    done(call)
}

fn done(call: &Call<'_>) -> Result<(), CmsError> {
    call.replicate();
    call.reply().word(c"OK");
    Ok(())
}
