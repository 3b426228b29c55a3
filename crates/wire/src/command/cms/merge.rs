//! The sources of `CMS.MERGE`.

use super::CmsError;
use super::number::integer;

/// Sources, and their weights where there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge<'a> {
    /// Keys of the sources.
    pub sources: &'a [&'a [u8]],
    weights: Option<&'a [&'a [u8]]>,
}

impl<'a> Merge<'a> {
    /// Reads the arguments after the destination: `numKeys source [source ...] [WEIGHTS weight [weight ...]]`. The word is
    /// looked for where it belongs, so that a sketch may be called by it.
    ///
    /// # Errors
    /// A number of keys that is none, or isn't that of the sources, or of the weights.
    pub fn parse(arguments: &'a [&'a [u8]]) -> Result<Self, CmsError> {
        let [number, rest @ ..] = arguments else { return Err(CmsError::Arity("cms.merge")) };
        let number = integer(number).ok_or(CmsError::NumKeys)?;
        if number < 1 {
            return Err(CmsError::NoKeys);
        }
        let is_word = |argument: &[u8]| argument.eq_ignore_ascii_case(b"WEIGHTS");
        match usize::try_from(number).ok().and_then(|number| rest.split_at_checked(number)) {
            Some((sources, [])) => Ok(Self { sources, weights: None }),
            Some((sources, [word, weights @ ..])) if is_word(word) && weights.len() == sources.len() => {
                Ok(Self { sources, weights: Some(weights) })
            }
            _ if rest.iter().any(|argument| is_word(argument)) => Err(CmsError::WeightCount),
            _ => Err(CmsError::KeyCount),
        }
    }

    /// The weight of the source at `index`: 1 where no weights are given.
    ///
    /// # Errors
    /// A weight that is no integer.
    pub fn weight(&self, index: usize) -> Result<i64, CmsError> {
        self.weights.map_or(Ok(1), |weights| integer(weights[index]).ok_or(CmsError::Weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> Result<(String, Vec<Result<i64, CmsError>>), CmsError> {
        let arguments: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        let merge = Merge::parse(&arguments)?;
        let sources = String::from_utf8(merge.sources.join(&b' ')).expect("text");
        Ok((sources, (0..merge.sources.len()).map(|at| merge.weight(at)).collect()))
    }

    #[test]
    fn sources_have_weight_1_unless_others_are_given() {
        assert_eq!(read("2 a b"), Ok(("a b".into(), vec![Ok(1), Ok(1)])));
        assert_eq!(read("2 a b weights -2 3"), Ok(("a b".into(), vec![Ok(-2), Ok(3)])));
        assert_eq!(read("2 a b WEIGHTS 1.5 3"), Ok(("a b".into(), vec![Err(CmsError::Weight), Ok(3)])));
        assert_eq!(read("2 weights b"), Ok(("weights b".into(), vec![Ok(1), Ok(1)])));
    }

    #[test]
    fn counts_that_dont_match_are_refused() {
        for (line, error) in [
            ("x a", CmsError::NumKeys),
            ("0 a", CmsError::NoKeys),
            ("-1 a", CmsError::NoKeys),
            ("2 a", CmsError::KeyCount),
            ("1 a b", CmsError::KeyCount),
            ("1 a b 3", CmsError::KeyCount),
            ("9223372036854775807 a", CmsError::KeyCount),
            ("2 a b WEIGHTS 1", CmsError::WeightCount),
            ("2 a b WEIGHTS 1 2 3", CmsError::WeightCount),
            ("2 a WEIGHTS 1 2", CmsError::WeightCount),
            ("1 a WEIGHTS", CmsError::WeightCount),
        ] {
            assert_eq!(read(line), Err(error), "{line}");
        }
        assert_eq!(Merge::parse(&[]), Err(CmsError::Arity("cms.merge")));
    }

    proptest! {
        #[test]
        fn any_words_are_read_or_refused(words in prop::collection::vec("[0-3]|[a-b]|WEIGHTS|-1|", 0..8)) {
            let arguments: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
            if let Ok(merge) = Merge::parse(&arguments) {
                for at in 0..merge.sources.len() {
                    let _ = merge.weight(at);
                }
            }
        }
    }
}
