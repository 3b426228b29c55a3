//! Cases as text that redis-cli --pipe reads too: each is one command in RESP.

use anyhow::{Context, Result, bail};

/// One case: the words of a command, or whatever a target takes.
pub(crate) type Case = Vec<Vec<u8>>;

/// The cases one behind the other.
pub(crate) fn write(cases: &[Case]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for case in cases {
        bytes.extend(format!("*{}\r\n", case.len()).into_bytes());
        for word in case {
            bytes.extend(format!("${}\r\n", word.len()).into_bytes());
            bytes.extend(word);
            bytes.extend(b"\r\n");
        }
    }
    bytes
}

/// What [`write`] wrote.
///
/// # Errors
/// Anything else.
pub(crate) fn read(mut bytes: &[u8]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    while !bytes.is_empty() {
        let words = length(&mut bytes, b'*')?;
        let mut case = Vec::new();
        for _ in 0..words {
            let long = length(&mut bytes, b'$')?;
            let (word, rest) = bytes.split_at_checked(long).context("a word is cut")?;
            bytes = rest.strip_prefix(b"\r\n").context("a word isn't as long as it says")?;
            case.push(word.to_vec());
        }
        cases.push(case);
    }
    Ok(cases)
}

fn length(bytes: &mut &[u8], mark: u8) -> Result<usize> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n").context("a line is cut")?;
    let line = &bytes[..end];
    let Some((&first, digits)) = line.split_first() else { bail!("a line is empty") };
    if first != mark {
        bail!("'{}' stands where '{}' should", char::from(first), char::from(mark));
    }
    *bytes = &bytes[end + 2..];
    Ok(std::str::from_utf8(digits)?.parse()?)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn cases_read_back_as_they_were_written() {
        let cases = vec![vec![b"GET".to_vec(), b"a\r\n$1".to_vec(), Vec::new()], Vec::new(), vec![vec![0xff]]];
        let bytes = write(&cases);
        assert_eq!(read(&bytes).expect("its own bytes"), cases);
        for end in 1..bytes.len() {
            assert!(read(&bytes[..end]).is_err() || read(&bytes[..end]).is_ok_and(|read| read.len() < 3), "{end}");
        }
    }
}
