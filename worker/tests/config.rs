//! File, environment and flags: what counts, and what is said about what is wrong.

use clap::Parser;
use eddyline_worker::cli::{Cli, Command};
use eddyline_worker::config::Config;
use eddyline_worker::config::load::{Loaded, Sources};
use eddyline_worker::notify::settings::NotifySettings;
use eddyline_worker::observe::listen::Listen;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process;

/// The settings of a worker with this file and these flags; else all that is wrong.
fn load(text: &str, flags: &[&str]) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eddyline.toml");
    std::fs::write(&path, text).unwrap();
    let error = |error: String| error.replace(&format!("{}/", folder.path().display()), "");
    load_file(&path, flags).map_err(error)
}

fn load_file(path: &Path, flags: &[&str]) -> Result<Loaded, String> {
    let args = ["eddyline", "worker", "--config", path.to_str().unwrap()].into_iter().chain(flags.iter().copied());
    match Cli::try_parse_from(args).map_err(|error| error.to_string())?.command {
        Command::Worker(args) => Sources::from(*args).load().map_err(|faults| faults.to_string()),
        other => panic!("{other:?}"),
    }
}

fn config(text: &str, flags: &[&str]) -> Config {
    load(text, flags).unwrap().config
}

fn refused(text: &str) -> String {
    load(text, &[]).unwrap_err()
}

fn budget(config: &Config, monitor: &str) -> f64 {
    config.live.choices.of(monitor.as_bytes()).0.budget_per_day
}

/// `eddyline check-config` as a process, with nothing in its environment but `variables`.
fn check(args: &[&str], variables: &[(&str, &str)]) -> (bool, String, String) {
    let output = process::Command::new(env!("CARGO_BIN_EXE_eddyline"))
        .arg("check-config")
        .args(args)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn a_flag_counts_more_than_the_file_and_a_section_more_than_either() {
    let text = "deployment = 'prod'\n[defaults]\nbudget = 5\nquiet_after = 7\n[monitor.'shop-*']\nbudget = 0.5\n";
    let file = config(text, &[]);
    assert_eq!(file.fixed.deployment, "prod");
    assert_eq!((budget(&file, "cart"), budget(&file, "shop-1")), (5.0, 0.5));
    let flags = config(text, &["--budget", "6", "--deployment", "staging"]);
    assert_eq!(flags.fixed.deployment, "staging");
    assert_eq!((budget(&flags, "cart"), budget(&flags, "shop-1")), (6.0, 0.5));
    assert_eq!(flags.live.choices.of(b"cart").0.quiet_after, 7);
}

#[test]
fn monitors_are_a_list_that_flags_replace() {
    let text = "monitors = ['a', 'b']";
    assert_eq!(config(text, &[]).live.monitors, ["a", "b"]);
    assert_eq!(config(text, &["--monitor", "c"]).live.monitors, ["c"]);
}

#[test]
fn every_kind_of_value_is_read() {
    let text = "log = 'warn'\nlisten = 'none'\n[defaults]\ndetectors = ['level', 'change']\ntime_zone = 'Europe/Berlin'\n\
                budget = '0.5'\nmin_history = 1_00\n";
    let config = config(text, &[]);
    let choices = config.live.choices.of(b"x").0;
    assert_eq!(choices.detectors.to_string(), "level,change");
    assert_eq!((choices.budget_per_day, choices.min_history), (0.5, 100));
    assert_eq!((config.fixed.listen, config.live.log.as_str()), (Listen::Nowhere, "warn"));
}

#[test]
fn a_table_of_a_feature_is_what_the_hash_calls_by_its_name() {
    let text = "[defaults]\nschedule = ['mon-fri 08:00-18:00', 'sat 10:00-14:00']\n\
                [monitor.'a*']\nfeature.\"latency_ms:p99\" = { direction = 'up', expect = '0..800' }\n\
                [monitor.'a*'.feature.'*']\nmin_relative = 0.1\n";
    let mut expected = config("", &[]).live.choices.of(b"a1").0;
    for (name, value) in [
        ("schedule", "mon-fri 08:00-18:00, sat 10:00-14:00"),
        ("direction:latency_ms:p99", "up"),
        ("expect:latency_ms:p99", "0..800"),
        ("min_relative:*", "0.1"),
    ] {
        expected.set(name, value).unwrap().unwrap();
    }
    let loaded = load(text, &[]).unwrap();
    assert_eq!(loaded.config.live.choices.of(b"a1").0, expected);
    assert_ne!(loaded.config.live.choices.of(b"b1").0, expected);
    let told = loaded.effective.to_string();
    assert!(told.contains("feature.\"latency_ms:p99\".expect = \"0..800\""), "{told}");
    assert!(told.contains("schedule = [\"mon-fri 08:00-18:00\",\"sat 10:00-14:00\"]"), "{told}");
}

#[test]
fn faults_are_told_by_file_line_key_and_what_is_allowed() {
    let cases = [
        (
            "\nbudget = 1",
            "eddyline.toml:2: budget: there is no such key. Keys here: redis, redis_ca, deployment, monitors, listen, log, \
             defaults, monitor, count, notify, sinks, http",
        ),
        ("lisen = 'none'", "eddyline.toml:1: lisen: there is no such key, did you mean listen?"),
        ("[defaults]\nbudgt = 1", "eddyline.toml:2: defaults.budgt: there is no such key, did you mean budget?"),
        (
            "[defaults]\nbudget = 0",
            "eddyline.toml:2: defaults.budget: '0' is refused: a number above 0 and at most 10000",
        ),
        ("[defaults]\nbudget = nan", "eddyline.toml:2: defaults.budget: 'NaN' is refused: a number above 0"),
        (
            "[monitor.\"shop-*\"]\n\nmin_history = 5",
            "eddyline.toml:3: monitor.\"shop-*\".min_history: '5' is refused: a whole number from 20 to 100000",
        ),
        ("[monitor.a]\ndetectors = 'magic'", "eddyline.toml:2: monitor.a.detectors: 'magic' is refused: no detector"),
        ("[monitor.a]\ndetectors = [1]", "eddyline.toml:2: monitor.a.detectors: must be a text, a number"),
        ("[monitor.a.budget]\nx = 1", "eddyline.toml:1: monitor.a.budget: there is no such key"),
        ("[monitor.a.features]\nx = 1", "did you mean feature?"),
        ("[monitor.a.feature]\nx = 1", "eddyline.toml:2: monitor.a.feature.x: must be a table of what is chosen for"),
        (
            "[monitor.a]\nfeature.\"x:p99\" = { smell = 1 }",
            "eddyline.toml:2: monitor.a.feature.\"x:p99\".smell: there is no such key. Keys here: direction, min_absolute,",
        ),
        (
            "[monitor.a.feature]\ncount.direction = 'sideways'",
            "eddyline.toml:2: monitor.a.feature.count.direction: 'sideways' is refused: ",
        ),
        ("[defaults]\nschedule = 'weekends'", "eddyline.toml:2: defaults.schedule: 'weekends' is refused: "),
        ("[monitor]\na = 1", "eddyline.toml:2: monitor.a: must be a section for the monitors of this name"),
        ("monitor = 1", "eddyline.toml:1: monitor: must be a section, [monitor]"),
        ("[monitor.'']\nbudget = 1", "eddyline.toml:1: monitor.\"\": a pattern of names is 1 to 1024 bytes"),
        ("defaults = []", "eddyline.toml:1: defaults: must be a section, [defaults]"),
        ("redis = 'ftp://u:hunter2@h'", "eddyline.toml:1: redis: isn't the address of a Redis"),
        ("redis_ca = '/no/such.pem'", "eddyline.toml:1: redis_ca: the file '/no/such.pem' can't be read"),
        ("redis_ca = 'Cargo.toml'\nredis = 'redis://h'", "eddyline.toml:1: redis_ca: "),
        ("[count.a]\nstream = 'metrics'\nwindow_ms = 5", "eddyline.toml:1: count.a: WINDOW must be"),
        (
            "[count.a]\nstreem = 'metrics'",
            "eddyline.toml:2: count.a.streem: there is no such key, did you mean stream?",
        ),
        ("redis = 'env:NO_SUCH'", "eddyline.toml:1: redis: the environment variable 'NO_SUCH' isn't set"),
        ("redis = 'file:/no/such'", "eddyline.toml:1: redis: the file '/no/such' can't be read"),
        ("deployment = ''", "eddyline.toml:1: deployment: a deployment's name is 1 to 128 bytes"),
        ("monitors = 'a'", "eddyline.toml:1: monitors: must be a list of at most 10000 names"),
        ("monitors = ['{x}']", "eddyline.toml:1: monitors: braces in a monitor's name"),
        ("listen = 9187", "eddyline.toml:1: listen: an address and a port, such as 127.0.0.1:9187"),
        ("[http]\nlisten = '8080'", "eddyline.toml:2: http.listen: an address and a port, such as 127.0.0.1:9187"),
        (
            "[http]\nlisten = '0.0.0.0:8080'",
            "eddyline.toml:2: http.listen: 0.0.0.0:8080 can be reached from other machines, which needs a key",
        ),
        ("[http]\ncors = ['*']", "eddyline.toml:2: http.cors: must be origins such as"),
        ("[http.keys]\na = 'x'", "eddyline.toml:2: http.keys.a: must be a section of its own, [http.keys.a]"),
        (
            "[http.keys.a]\nhash = 'edk_1'\nscopes = ['read']",
            "eddyline.toml:2: http.keys.a.hash: must be sha256: and 64 hexadecimal digits",
        ),
        ("log = 'inof'", "eddyline.toml:1: log: a level (off, error, warn, info, debug, trace)"),
        ("a = 1\nb = ?", "eddyline.toml:2: isn't TOML: "),
        ("[sinks.'a b']\ntype = 'stdout'", "eddyline.toml:1: sinks.\"a b\": a sink's name is 1 to 64 letters"),
        ("[sinks]\na = 1", "eddyline.toml:2: sinks.a: must be a section of its own, [sinks.a]"),
        (
            "[sinks.a]\nurl = 'env:NO_SUCH'",
            "eddyline.toml:2: sinks.a.url: the environment variable 'NO_SUCH' isn't set",
        ),
    ];
    for (text, expected) in cases {
        let error = refused(text);
        assert!(error.contains(expected), "{text:?}\n  says {error:?}\n  not  {expected:?}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let error = refused("listen = 1\n[defaults]\nbudget = 0\nbugdet = 1\n");
    assert_eq!(error.lines().count(), 4, "{error}");
    assert!(error.starts_with("3 things are wrong with the settings\n  eddyline.toml:1: listen"), "{error}");
}

#[test]
fn a_value_of_the_file_is_checked_even_where_a_flag_counts_more() {
    let error = load("listen = 1\n[defaults]\nbudget = 0", &["--listen", "none", "--budget", "1"]).unwrap_err();
    assert!(error.contains("eddyline.toml:1: listen") && error.contains("eddyline.toml:3: defaults.budget"), "{error}");
}

#[test]
fn flags_are_refused_by_their_name() {
    for (flags, expected) in [
        (["--listen", "x"], "--listen: an address and a port"),
        (["--log", "loud"], "--log: a level"),
        (["--redis", "ftp://u:hunter2@h"], "--redis: isn't the address of a Redis"),
        (["--monitor", "{x}"], "--monitor: braces in a monitor's name"),
        (["--deployment", ""], "--deployment: a deployment's name"),
    ] {
        let error = load("", &flags).unwrap_err();
        assert!(error.starts_with(expected) && !error.contains("hunter2"), "{error}");
    }
}

/// The same number for the same `x`, and no pattern (splitmix64).
fn random(x: usize) -> usize {
    let x = (x as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (x ^ (x >> 27)) as usize
}

#[test]
fn no_file_whatever_is_wrong_in_it_ends_the_process_or_tells_a_secret() {
    let good = "redis = 'redis://:hunter2@h'\nmonitors = ['a']\n[defaults]\nbudget = 5\n[monitor.'x*']\n\
                detectors = ['level', 'change']\nfeature.\"a:p99\" = { x = 1 }\n[notify]\nbudget = 3\n[sinks.a]\n\
                type = 'webhook'\nurl = 'https://hunter2/'\nsecret = 'hunter2'\nheaders = { A = 'hunter2' }\n";
    let marks = ["=", "[", "]", "\"", "'", "{", "}", "\n", ".", "\0", "é", "=[", "[[", "\"\"\"", "1e999", "nan"];
    for i in 0..400 {
        let mut text = good.to_owned();
        for turn in 0..1 + i % 3 {
            let at = random(i * 8 + turn) % text.len();
            let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            match random(i * 8 + turn + 4) % 3 {
                0 => text.truncate(at),
                1 => text.insert_str(at, marks[random(i) % marks.len()]),
                _ => drop(text.remove(at)),
            }
            text.push(' ');
        }
        if let Err(error) = load(&text, &[]) {
            assert!(!error.contains("hunter2"), "{text}\n{error}");
            assert!(error.contains("eddyline.toml:"), "{text}\n{error}");
        }
    }
}

#[test]
fn files_that_are_missing_too_large_or_no_text_are_refused() {
    let error = load_file(Path::new("/no/such.toml"), &[]).unwrap_err();
    assert!(error.starts_with("/no/such.toml: can't be read: No such file"), "{error}");
    let error = refused(&format!("#{}", "x".repeat(1 << 20)));
    assert_eq!(error, "eddyline.toml: is larger than 1 MiB");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    std::fs::write(&path, b"a = 1\nb = '\xff'").unwrap();
    let error = load_file(&path, &[]).unwrap_err();
    assert!(error.ends_with("x.toml:2: isn't UTF-8"), "{error}");
    let many: String = (0..1001).map(|i| format!("[monitor.m{i}]\n")).collect();
    assert!(refused(&many).contains("monitor: has more than 1000 sections"));
}

#[test]
fn the_settings_in_force_are_printed_with_where_they_are_from() {
    let folder = tempfile::tempdir().unwrap();
    let (path, secret) = (folder.path().join("eddyline.toml"), folder.path().join("redis"));
    std::fs::write(&secret, "redis://me:hunter2@redis.internal/2\n").unwrap();
    let text = format!(
        "redis = 'file:{0}'\n[defaults]\nbudget = 5\nmin_history = 90\n[monitor.'shop-*']\nbudget = 0.5\n\
         [notify]\ncool_down = '60s'\n[sinks.hook]\ntype = 'webhook'\nurl = 'https://hunter2/'\nsecret = 'file:{0}'\n\
         headers = {{ A-B = 'hunter2', C = 'file:{0}' }}\n",
        secret.display()
    );
    std::fs::write(&path, text).unwrap();
    let variables = [("EDDYLINE_BUDGET", "3"), ("EDDYLINE_CONFIG", path.to_str().unwrap())];
    let (good, printed, error) = check(&["--quiet-after", "4"], &variables);
    assert!(good, "{error}");
    let told: Vec<String> = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "redis = \"redis.internal:6379 db 2\" # line 1",
        "deployment = \"default\" # default",
        "monitors = [] # default",
        "listen = \"127.0.0.1:9187\" # default",
        "log = \"info\" # default",
        "[defaults]",
        "budget = 3 # environment EDDYLINE_BUDGET",
        "min_history = 90 # line 4",
        "quiet_after = 4 # flag --quiet-after",
        "detectors = \"auto\" # default",
        "[monitor.\"shop-*\"]",
        "budget = 0.5 # line 6",
        "[notify]",
        "cool_down = \"1m\" # line 8",
        "give_up_after = \"1h\" # default",
        "[sinks.hook]",
        "url = \"***\" # line 11",
        &format!("secret = \"file:{}\" # line 12", secret.display()),
        "headers.A-B = \"***\" # line 13",
        "timeout = \"10s\" # default",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}\n{printed}");
    }
    assert!(!printed.contains("hunter2"), "{printed}");
    toml::from_str::<toml::Table>(&printed).unwrap();
}

#[test]
fn check_config_fails_where_a_worker_would_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eddyline.toml");
    std::fs::write(&path, "[defaults]\nbugdet = 1\n").unwrap();
    let (good, printed, error) = check(&[path.to_str().unwrap()], &[]);
    assert!(!good && printed.is_empty());
    assert!(error.contains("eddyline.toml:2: defaults.bugdet: there is no such key, did you mean budget?"), "{error}");
    let (good, _, error) = check(&[], &[("EDDYLINE_LOG", "loud")]);
    assert!(!good && error.contains("EDDYLINE_LOG: a level"), "{error}");
    let (good, _, error) = check(&[], &[]);
    assert!(good, "{error}");
}

#[test]
fn the_sample_file_is_good_and_has_every_key() {
    let path = repository().join("docs/eddyline.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    // Every key stands there, commented out where it isn't needed.
    let all: String = text
        .lines()
        .map(|line| {
            line.strip_prefix("# ").filter(|rest| rest.contains(" = ") || rest.starts_with('[')).unwrap_or(line)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let authority = repository().join("worker/fixtures/tls/ca.pem");
    let all = all
        .replace("\"env:", "\"https://elsewhere.example/")
        .replace("\"redis://127", "\"rediss://127")
        .replace("/etc/ssl/redis-ca.pem", authority.to_str().unwrap());
    for text in [&text, &all] {
        load(text, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    let types: BTreeSet<_> = config(&all, &[]).live.sinks.values().map(|sink| sink.receiver.name()).collect();
    assert_eq!(types.len(), 7, "{types:?}");
    assert_eq!(config(&all, &[]).live.notify, NotifySettings::default());
    let table: toml::Table = toml::from_str(&all).unwrap();
    assert_eq!(table["notify"].as_table().unwrap().len(), 6);
    for key in ["redis", "redis_ca", "deployment", "monitors", "listen", "log", "defaults", "monitor", "count"] {
        assert!(table.contains_key(key), "{key} isn't in docs/eddyline.toml");
    }
    let defaults = table["defaults"].as_table().unwrap();
    for name in eddyline_worker::judging::choices::Choices::names().filter(|name| !name.contains(':')) {
        assert!(defaults.contains_key(name), "{name} isn't in [defaults] of docs/eddyline.toml");
    }
}
