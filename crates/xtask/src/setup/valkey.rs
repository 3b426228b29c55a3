//! A server of another make, valkey-server, which the module's tests run on a second time. Nothing else needs it, so that
//! where it can't be had is said, and no error.

use std::env;

use anyhow::{Context, Result, bail};

use super::{apt, backports, server};
use crate::stop;

const PACKAGE: &str = "valkey-server";

/// Installs it where it isn't there and can be had; says what came of it.
pub(super) fn ensure() -> Result<String> {
    if let Some(found) = on_path()? {
        return Ok(found);
    }
    let installed = install();
    stop::check()?;
    Ok(match (installed, on_path()?) {
        (Ok(()), Some(found)) => found,
        (Ok(()), None) => format!("no {PACKAGE}: it was installed, but not on the PATH"),
        (Err(error), _) => format!("no {PACKAGE}, so that the module is tested on one make of server only: {error:#}"),
    })
}

fn on_path() -> Result<Option<String>> {
    server::on_path(PACKAGE.as_ref(), env::var_os("PATH").as_ref()).map(|found| server::version(&found)).transpose()
}

fn install() -> Result<()> {
    let apt = apt::Apt::usable()?.context("please install it to try both")?;
    if !apt::knows(PACKAGE) {
        apt.run(&["update"])?;
    }
    if !apt::knows(PACKAGE) {
        backports::add(&apt)?;
    }
    if !apt::knows(PACKAGE) {
        bail!("this system's packages have none");
    }
    apt.run(&["install", "--yes", "--no-install-recommends", PACKAGE])
}
