//! Payloads that lie: refused, or a sketch that every command can use; never the server's end.

use super::{dump, payload, restore, send, support};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::Connection;
use support::{call, digest, server, try_call};

/// Restores; where that works, uses the value with every command. Gives whether it worked.
fn try_value(redis: &mut Connection, value: &[u8], version: [u8; 2]) -> bool {
    match restore(redis, "hostile", &payload::sealed(value, version)) {
        Err(error) => {
            assert!(error.contains("Bad data format"), "{error}: {}", value.escape_ascii());
            false
        }
        Ok(()) => {
            call::<redis::Value>(redis, "CMS.INFO hostile");
            call::<redis::Value>(redis, "CMS.QUERY hostile a b");
            let _ = try_call::<redis::Value>(redis, "CMS.INCRBY hostile a 4000000000 b 9223372036854775807");
            let _ = try_call::<redis::Value>(redis, "CMS.MERGE hostile 2 hostile hostile WEIGHTS -1 2");
            digest(redis, "hostile");
            dump(redis, "hostile");
            call::<i64>(redis, "MEMORY USAGE hostile");
            call::<i64>(redis, "DEL hostile");
            true
        }
    }
}

#[test]
fn flipped_cut_and_scrambled_dumps_do_no_harm() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let mut rng = StdRng::seed_from_u64(7);
    call::<String>(&mut redis, "CMS.INITBYDIM plain 7 3");
    call::<String>(&mut redis, "CMS.INITBYDIM compressed 60 3");
    for key in ["plain", "compressed"] {
        for item in 0..9 {
            let n: u32 = rng.random_range(1..1 << 28);
            call::<redis::Value>(&mut redis, &format!("CMS.INCRBY {key} {item} {n}"));
        }
    }
    /// The type of the value and its owner's name: other types aren't ours to survive.
    const HEAD: usize = 10;
    let (mut tried, mut restored) = (0, 0);
    for key in ["plain", "compressed"] {
        let dump = dump(&mut redis, key);
        let (value, version) = payload::open(&dump);
        assert_eq!(payload::sealed(value, version), dump, "checksums are the server's");
        let mut attempt = |value: &[u8]| {
            tried += 1;
            restored += u32::from(try_value(&mut redis, value, version));
        };
        for at in HEAD..value.len() {
            attempt(&value[..at]);
            for bit in 0..8 {
                let mut flipped = value.to_vec();
                flipped[at] ^= 1 << bit;
                attempt(&flipped);
            }
        }
        for _ in 0..1000 {
            let mut scrambled = value.to_vec();
            for _ in 0..rng.random_range(1..6) {
                let at = rng.random_range(HEAD..scrambled.len());
                scrambled[at] = rng.random();
            }
            attempt(&scrambled);
        }
    }
    assert!(tried > 3000 && restored > 100 && restored < tried, "{restored} of {tried}");
}

#[test]
fn parts_that_dont_fit_each_other_are_bad_data() {
    let server = server();
    let mut redis = server.connection().unwrap();
    call::<String>(&mut redis, "CMS.INITBYDIM k 2 1");
    let good = dump(&mut redis, "k");
    let (_, version) = payload::open(&good);
    assert!(try_value(&mut redis, &payload::sketch(0, [2, 1, 0], &[0; 8]), version));
    assert!(try_value(&mut redis, &payload::sketch(0, [1, 2, u64::MAX], &[255; 8]), version));
    let most = u64::MAX;
    for (numbers, cells) in [
        ([0, 1, 0], &[][..]),
        ([1, 0, 0], &[]),
        ([2, 1, 0], &[0; 7]),
        ([2, 1, 0], &[0; 9]),
        ([3, 1, 0], &[0; 8]),
        ([most, 1, 0], &[0; 8]),
        ([1, most, 0], &[0; 8]),
        ([most, most, 0], &[0; 8]),
        ([1 << 62, 4, 0], &[]),
        ([1 << 32, 1 << 30, 0], &[]),
        ([(1 << 63) + 1, 2, 0], &[0; 8]),
    ] {
        assert!(!try_value(&mut redis, &payload::sketch(0, numbers, cells), version), "{numbers:?}");
    }
    assert!(!try_value(&mut redis, &payload::sketch(1, [2, 1, 0], &[0; 8]), version));
    assert!(server.log().contains("encoding 1 comes from a newer RedisBloom"));
    assert!(server.log().contains("cells don't fit the shape"));
}

#[test]
fn the_internal_command_checks_what_it_is_given() {
    let server = server();
    let mut redis = server.connection().unwrap();
    let mut restore = |arguments: [&[u8]; 4]| {
        let [width, depth, count, cells] = arguments;
        send::<String>(&mut redis, &[b"EDDY.CMSRESTORE", b"k", width, depth, count, cells])
    };
    for arguments in [
        [&b"2"[..], b"1", b"0", b"1234567"],
        [b"0", b"1", b"0", b""],
        [b"9223372036854775807", b"9223372036854775807", b"0", b"12345678"],
        [b"2", b"1", b"x", b"12345678"],
    ] {
        let error = restore(arguments).unwrap_err();
        assert!(error.contains("its cells don't fit its shape"), "{error}");
    }
    restore([b"2", b"1", b"-5", b"12345678"]).unwrap();
    assert!(restore([b"2", b"1", b"-5", b"12345678"]).unwrap_err().contains("key already exists"));
}
