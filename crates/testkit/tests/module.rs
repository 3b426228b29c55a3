//! The module is built by the testkit and loads.

use anyhow::Result;
use eddyline_testkit::{Server, module_path};

#[test]
fn module_is_built_and_loaded() -> Result<()> {
    assert!(module_path()?.is_file());
    let server = Server::with_module().start()?;
    let modules: String = redis::cmd("INFO").arg("modules").query(&mut server.connection()?)?;
    assert!(modules.contains("name=eddyline"), "{modules}");
    Ok(())
}
