//! Integers as the server reads them.

/// A 64-bit integer without plus sign, leading zeros or blanks.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = text.strip_prefix(b"-").map_or((false, text), |digits| (true, digits));
    match digits {
        b"0" if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    // Counted downwards, where there is room for one more.
    let value = digits.iter().try_fold(0i64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_sub(digit)
    })?;
    if negative { Some(value) } else { value.checked_neg() }
}

#[cfg(test)]
mod tests {
    use super::integer;
    use proptest::prelude::*;

    #[test]
    fn only_the_shortest_spelling_is_a_number() {
        for text in ["", "-", "-0", "00", "01", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "--1", "1-", "\0", "１"] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999"] {
            assert_eq!(integer(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_is_read(number: i64) {
            for number in [number, i64::MIN, i64::MAX, 0, number % 1000] {
                prop_assert_eq!(integer(number.to_string().as_bytes()), Some(number));
            }
        }

        #[test]
        fn what_is_read_spells_the_same(text in "[-0-9]{0,22}") {
            prop_assert!(integer(text.as_bytes()).is_none_or(|number| number.to_string() == text));
        }
    }
}
