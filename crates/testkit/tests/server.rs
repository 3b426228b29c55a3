//! The guard itself, against real servers without the module.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use eddyline_testkit::{Server, eventually, eventually_some};

const SOON: Duration = Duration::from_secs(20);

fn set(server: &Server, key: &str, value: &str) -> Result<()> {
    Ok(redis::cmd("SET").arg(key).arg(value).exec(&mut server.connection()?)?)
}

fn get(server: &Server, key: &str) -> Result<Option<String>> {
    Ok(redis::cmd("GET").arg(key).query(&mut server.connection()?)?)
}

fn runs(pid: u32) -> bool {
    let signal = Command::new("kill").args(["-0", &pid.to_string()]).output();
    signal.is_ok_and(|output| output.status.success())
}

#[test]
fn server_answers_and_dies_with_its_guard() -> Result<()> {
    let server = Server::plain().start()?;
    set(&server, "a", "1")?;
    assert_eq!(get(&server, "a")?.as_deref(), Some("1"));
    assert!(server.log().contains("eady to accept connections"), "Redis and Valkey differ in the first letter");
    let (pid, data) = (server.pid().expect("it runs"), server.data_dir());
    assert!(runs(pid) && data.is_dir());
    drop(server);
    assert!(!runs(pid) && !data.exists());
    Ok(())
}

#[test]
fn server_dies_with_a_panicking_test() {
    let pid = std::thread::spawn(|| {
        let server = Server::plain().start().expect("a plain server starts");
        std::panic::panic_any(server.pid().expect("it runs"));
    });
    let pid = pid.join().expect_err("the thread panics");
    assert!(!runs(*pid.downcast_ref::<u32>().expect("the panic carries the process id")));
}

#[test]
fn missing_server_names_the_package_to_install() {
    let error = Server::plain().program("no-such-server").start().expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "no-such-server not found: apt-get install redis-server (or set EDDYLINE_SERVER=/path/to/server)"
    );
}

#[test]
fn server_that_refuses_its_arguments_shows_its_log() {
    let error = Server::plain().args(["--maxmemory", "much"]).start().expect_err("refused");
    assert!(error.to_string().contains("maxmemory"), "{error}");
}

#[test]
fn append_only_data_survives_kill_and_restart() -> Result<()> {
    let mut server = Server::plain().args(["--appendonly", "yes", "--appendfsync", "always"]).start()?;
    set(&server, "a", "1")?;
    server.kill()?;
    assert!(server.connection().is_err());
    server.start()?;
    assert_eq!(get(&server, "a")?.as_deref(), Some("1"));
    set(&server, "a", "2")?;
    let before = server.pid();
    server.restart()?;
    assert_eq!(get(&server, "a")?.as_deref(), Some("2"));
    assert_ne!(server.pid(), before);
    assert!(server.start().is_err(), "it runs already");
    Ok(())
}

#[test]
fn replica_follows_its_primary() -> Result<()> {
    let primary = Server::plain().tcp().start()?;
    let replica = Server::plain().replica_of(&primary).start()?;
    set(&primary, "a", "1")?;
    let value = eventually_some(SOON, || get(&replica, "a").ok().flatten());
    assert_eq!(value, "1");

    let error = Server::plain().replica_of(&replica).start().expect_err("no port to follow");
    assert!(error.to_string().contains("tcp()"), "{error}");
    Ok(())
}

#[test]
fn waiting_ends_with_the_condition_or_the_time() {
    let mut asked = 0;
    eventually(SOON, || {
        asked += 1;
        asked == 3
    });
    assert_eq!(asked, 3);
    let late = std::panic::catch_unwind(|| eventually(Duration::from_millis(20), || false));
    let message = late.expect_err("never so");
    assert_eq!(message.downcast_ref::<String>().map(String::as_str), Some("still not so after 20ms"));
}
