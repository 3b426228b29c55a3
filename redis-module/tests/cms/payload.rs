//! Payloads of `RESTORE` made by hand.

/// What the server appends: its version and a checksum over all before it.
pub(crate) fn sealed(value: &[u8], version: [u8; 2]) -> Vec<u8> {
    let mut payload = [value, &version].concat();
    payload.extend(checksum(&payload).to_le_bytes());
    payload
}

/// A payload without version and checksum, and the version.
pub(crate) fn open(payload: &[u8]) -> (&[u8], [u8; 2]) {
    let (value, trailer) = payload.split_at(payload.len() - 10);
    (value, [trailer[0], trailer[1]])
}

/// CRC-64 of Jones, reflected, as the server computes it.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(
            crc ^ u64::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0x95ac_9329_ac4b_c9b5 } else { crc >> 1 },
        )
    })
}

/// A value of the sketch's type, its parts as given.
pub(crate) fn sketch(encoding: u64, numbers: [u64; 3], cells: &[u8]) -> Vec<u8> {
    const CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let id = b"CMSk-TYPE".iter().fold(0u64, |id, byte| {
        id << 6 | CHARACTERS.iter().position(|character| character == byte).expect("a character of names") as u64
    });
    let mut value = vec![7]; // a module's value
    length(&mut value, id << 10 | encoding);
    for number in numbers {
        value.push(2); // an unsigned integer
        length(&mut value, number);
    }
    value.push(5); // a string
    length(&mut value, cells.len() as u64);
    value.extend(cells);
    value.push(0); // the end
    value
}

fn length(value: &mut Vec<u8>, length: u64) {
    value.push(0x81);
    value.extend(length.to_be_bytes());
}
