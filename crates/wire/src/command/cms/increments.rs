//! The pairs of `CMS.INCRBY`.

use super::CmsError;
use super::number::integer;

/// Items with what is added to them, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Increments<'a>(&'a [[&'a [u8]; 2]]);

impl<'a> Increments<'a> {
    /// The pairs of the arguments after the key; the key is looked up before their numbers are read.
    ///
    /// # Errors
    /// An item without its increment.
    pub fn pairs(arguments: &'a [&'a [u8]]) -> Result<Self, CmsError> {
        match arguments.as_chunks() {
            (pairs, []) if !pairs.is_empty() => Ok(Self(pairs)),
            _ => Err(CmsError::Arity("cms.incrby")),
        }
    }

    /// Nothing is added where one number is wrong.
    ///
    /// # Errors
    /// The first increment that is none, or is below 0.
    pub fn check(self) -> Result<Checked<'a>, CmsError> {
        for [_, n] in self.0 {
            let n = integer(n).ok_or(CmsError::Increment)?;
            if n < 0 {
                return Err(CmsError::Negative);
            }
        }
        Ok(Checked(self.0))
    }
}

/// Increments whose every number was read once: reading it again costs less than keeping it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked<'a>(&'a [[&'a [u8]; 2]]);

impl<'a> Checked<'a> {
    /// Items and numbers.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a [u8], u64)> {
        self.0.iter().map(|[item, n]| (*item, integer(n).map_or(0, i64::cast_unsigned)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(arguments: &'a [&'a [u8]]) -> Result<Vec<(&'a [u8], u64)>, CmsError> {
        Ok(Increments::pairs(arguments)?.check()?.iter().collect())
    }

    #[test]
    fn one_wrong_number_refuses_all() {
        let most: &[u8] = b"9223372036854775807";
        assert_eq!(
            read(&[b"a", b"5", b"a", b"0", b"", most]).unwrap(),
            [(&b"a"[..], 5), (b"a", 0), (b"", i64::MAX as u64)]
        );
        assert_eq!(read(&[b"a", b"1", b"b", b"-1"]), Err(CmsError::Negative));
        assert_eq!(read(&[b"a", b"x", b"b", b"-1"]), Err(CmsError::Increment));
        assert_eq!(read(&[b"a", b"9223372036854775808"]), Err(CmsError::Increment));
        assert_eq!(read(&[b"a", b"1", b"b"]), Err(CmsError::Arity("cms.incrby")));
        assert_eq!(read(&[]), Err(CmsError::Arity("cms.incrby")));
    }
}
