//! A monitor is a function of the command log: after any mix of commands, entries and closings, a replica and servers
//! restarted from the append-only file or a snapshot agree with the primary, byte for byte.

mod support;

use eddyline_testkit::{Server, eventually};
use rand::SeedableRng;
use rand::rngs::StdRng;
use support::workload::{freeze, onlooker, run, state, written};
use support::{SOON, try_call};

/// Says how many fingerprints there were to agree on.
fn nodes_agree(seed: u64, preamble: &str) -> usize {
    let mut rng = StdRng::seed_from_u64(seed);
    let aof = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble];
    let mut primary = Server::with_module().tcp().args(aof).start().unwrap();
    let mut redis = primary.connection().unwrap();
    run(&mut redis, &mut rng, 400);
    let replica = Server::with_module().replica_of(&primary).start().unwrap();
    run(&mut redis, &mut rng, 400);
    // a crash in the middle: what was acknowledged is there again
    primary.kill().unwrap();
    primary.start().unwrap();
    let mut redis = primary.connection().unwrap();
    run(&mut redis, &mut rng, 400);

    freeze(&mut redis);
    replica.catch_up_with(&primary).unwrap();
    let expected = state(&mut redis);
    assert_eq!(state(&mut replica.connection().unwrap()), expected, "replica, seed {seed}");

    // the replica's own snapshot may still be under way
    eventually(SOON, || try_call::<()>(&mut redis, "SAVE").is_ok());
    primary.kill().unwrap();
    let from_aof = onlooker(&primary, &aof);
    assert_eq!(state(&mut from_aof.connection().unwrap()), expected, "append-only file, seed {seed}");
    let from_rdb = onlooker(&primary, &[]);
    assert_eq!(state(&mut from_rdb.connection().unwrap()), expected, "snapshot, seed {seed}");
    written(&expected)
}

/// Seeds to try: three, or as many as `EDDYLINE_SEEDS` says for a long run.
fn seeds() -> std::ops::Range<u64> {
    1..1 + std::env::var("EDDYLINE_SEEDS").map_or(3, |n| n.parse().expect("EDDYLINE_SEEDS must be a number"))
}

#[test]
fn replica_append_only_file_and_snapshot_agree_with_the_primary() {
    let fingerprints: usize = seeds().map(|seed| nodes_agree(seed, "yes")).sum();
    assert!(fingerprints > 15, "only {fingerprints} fingerprints: too few to tell");
}

#[test]
fn an_append_only_file_without_preamble_agrees_too() {
    let fingerprints: usize = seeds().map(|seed| nodes_agree(1000 + seed, "no")).sum();
    assert!(fingerprints > 15, "only {fingerprints} fingerprints: too few to tell");
}
