//! Protobuf, field by field, as it lies in memory: a message of a few bytes that would become a struct of hundreds costs
//! nothing here, however many there are.

/// Bytes that aren't the message that they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body isn't protobuf of this message: it breaks off, or a field is of another type")]
pub struct Broken;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

impl<'a> Value<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Broken> {
        if let Self::Bytes(bytes) = self { Ok(bytes) } else { Err(Broken) }
    }

    pub(crate) fn text(self) -> Result<&'a str, Broken> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Broken)
    }

    pub(crate) fn varint(self) -> Result<u64, Broken> {
        if let Self::Varint(number) = self { Ok(number) } else { Err(Broken) }
    }

    pub(crate) fn fixed64(self) -> Result<u64, Broken> {
        if let Self::Fixed64(number) = self { Ok(number) } else { Err(Broken) }
    }

    pub(crate) fn double(self) -> Result<f64, Broken> {
        self.fixed64().map(f64::from_bits)
    }
}

/// The fields of a message, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or(Broken))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed32)?,
            _ => return None,
        };
        let number = tag >> 3;
        (number > 0).then_some((number, value))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// The fields of this number, as messages.
pub(crate) fn messages(message: &[u8], number: u64) -> impl Iterator<Item = Result<&[u8], Broken>> {
    Fields(message).filter_map(move |field| match field {
        Ok((found, value)) if found == number => Some(value.bytes()),
        Ok(_) => None,
        Err(broken) => Some(Err(broken)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_their_order_and_none_beyond_the_end() {
        let bytes = [0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x25, 1, 2, 3, 4];
        let fields: Vec<_> = Fields(&bytes).map(Result::unwrap).collect();
        let one = Value::Fixed64(1_f64.to_bits());
        assert_eq!(fields, [(1, Value::Varint(150)), (2, Value::Bytes(b"hi")), (3, one), (4, Value::Fixed32)]);
        for end in 1..bytes.len() {
            let read: Vec<_> = Fields(&bytes[..end]).collect();
            let whole = read.iter().filter(|field| field.is_ok()).count();
            assert!(read.len() <= whole + 1, "{read:?}");
        }
        for broken in [&[0x0b][..], &[0x00, 0x00], &[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], &[0xff; 20]] {
            assert_eq!(Fields(broken).collect::<Vec<_>>(), [Err(Broken)], "{broken:?}");
        }
    }
}
