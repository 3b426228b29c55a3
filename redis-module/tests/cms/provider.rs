//! Who answers `CMS.*`: all of it this module, or none.

use super::support;
use eddyline_testkit::{Server, Setup};
use support::{call, try_call};

/// A server that has a command of the family already, as one with RedisBloom does.
fn with_another(mode: Option<&str>) -> Setup {
    with(mode).args(["--rename-command", "LOLWUT", "cms.query"])
}

fn with(mode: Option<&str>) -> Setup {
    Server::with_module().module_args(mode.into_iter().flat_map(|mode| ["cms-commands", mode]))
}

/// Whether the commands are this module's.
fn own(server: &Server) -> bool {
    let mut redis = server.connection().unwrap();
    let unknown =
        |line| try_call::<redis::Value>(&mut redis, line).is_err_and(|error| error.contains("unknown command"));
    let unknown =
        ["CMS.INITBYDIM k 9 2", "CMS.INCRBY k a 1", "CMS.MERGE k 1 k", "CMS.INFO k", "EDDY.CMSRESTORE"].map(unknown);
    assert!(unknown.iter().all(|each| *each == unknown[0]), "all or none: {unknown:?}");
    assert!(call::<Vec<String>>(&mut redis, "EDDY.LIST").is_empty());
    let info: String = call(&mut redis, "INFO eddyline");
    assert_eq!(info.contains("eddyline_cms_provider:self\r"), !unknown[0], "{info}");
    !unknown[0]
}

#[test]
fn a_server_without_the_commands_gets_them_unless_told_otherwise() {
    for mode in [None, Some("auto"), Some("yes")] {
        let server = with(mode).start().unwrap();
        assert!(own(&server), "{mode:?}");
        assert!(server.log().contains("eddyline provides CMS.*"), "{mode:?}");
    }
    let server = with(Some("no")).start().unwrap();
    assert!(!own(&server));
    assert!(server.log().contains("eddyline provides no CMS.*, cms-commands is no"));
}

#[test]
fn commands_that_are_there_stay_as_they_are() {
    for mode in [None, Some("auto")] {
        let server = with_another(mode).start().unwrap();
        assert!(!own(&server));
        assert!(server.log().contains("eddyline leaves CMS.* to the server, which has it already"));
    }
}

#[test]
fn a_demand_that_cant_be_met_refuses_to_load() {
    let error = with_another(Some("yes")).start().unwrap_err().to_string();
    assert!(error.contains("cms-commands is yes, but the server has cms.query already"), "{error}");
}

#[test]
fn an_unknown_mode_refuses_to_load() {
    let error = with(Some("maybe")).start().unwrap_err().to_string();
    assert!(error.contains("cms-commands must be auto, yes or no, got 'maybe'"), "{error}");
}

#[test]
fn a_module_that_was_refused_leaves_no_hook_behind() {
    let server = Server::plain()
        .args(["--rename-command", "LOLWUT", "cms.query", "--enable-module-command", "yes"])
        .start()
        .unwrap();
    let mut redis = server.connection().unwrap();
    let module = eddyline_testkit::module_path().unwrap();
    let load = redis::cmd("MODULE").arg("LOAD").arg(module.to_str()).arg("cms-commands").arg("yes").exec(&mut redis);
    assert!(load.is_err());
    for line in ["XADD metrics * a b", "SWAPDB 0 1", "FLUSHALL", "INFO everything", "PING"] {
        call::<redis::Value>(&mut redis, line);
    }
    assert!(server.log().contains("cms-commands is yes, but the server has cms.query already"));
}
