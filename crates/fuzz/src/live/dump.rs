//! What `DUMP` replies with: a value as in an RDB file, the file's version, and a CRC-64 over both. The server refuses a
//! wrong checksum before it looks at anything else, so damage is signed like good bytes.

/// The polynomial of Jones' CRC-64, bits reversed.
const JONES: u64 = 0x95ac_9329_ac4b_c9b5;
/// Version and checksum.
const FOOTER: usize = 10;
/// Where the payload of a value of ours begins: behind the type of a module's value, the type's id and the mark of a string.
const PAYLOAD: usize = 1 + 9 + 1;

const fn table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ JONES } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

static TABLE: [u64; 256] = table();

fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |crc, byte| crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)])
}

/// A dump with `value` in place of its own, as if it had been saved so.
pub(crate) fn signed(dump: &[u8], value: &[u8]) -> Vec<u8> {
    let version = &dump[dump.len() - FOOTER..dump.len() - 8];
    let mut bytes = [value, version].concat();
    let crc = crc64(&bytes);
    bytes.extend(crc.to_le_bytes());
    bytes
}

/// The value in a dump.
pub(crate) fn value(dump: &[u8]) -> &[u8] {
    &dump[..dump.len().saturating_sub(FOOTER)]
}

/// A dump of one of our monitors with other bytes for the monitor, everything around them being right.
pub(crate) fn of_monitor(dump: &[u8], monitor: &[u8]) -> Vec<u8> {
    let mut bytes = dump[..PAYLOAD].to_vec();
    // a length of 32 bits
    bytes.push(0x80);
    bytes.extend((monitor.len() as u32).to_be_bytes());
    bytes.extend(monitor);
    // no more parts
    bytes.push(0);
    signed(dump, &bytes)
}

#[cfg(test)]
mod tests {
    use super::crc64;

    #[test]
    fn checksum_is_the_servers() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    }
}
