//! The monitor of spans, which is made when the first ones come.

use super::Gateway;
use super::errors::{Code, Problem};
use super::outcome::{Tally, refusal};
use super::remembered::{self, RequestKey};
use eddyline_intake::group::Group;
use eddyline_intake::spans::{CROSSES, DIMENSIONS, MEASURE};
use tracing::info;

/// Its name.
pub(super) const MONITOR: &str = "traces";
/// Traces are few where events are many.
const WINDOW_MS: u64 = 10_000;

/// Counts the spans of this body, once however often an exporter sends it.
pub(super) async fn count(gateway: &Gateway, body: &[u8], groups: &[Group], tally: &mut Tally) -> Result<(), Problem> {
    if groups.is_empty() {
        return Ok(());
    }
    let (digest, all) = (remembered::digest(body), groups.iter().collect::<Vec<_>>());
    let request = RequestKey::of_body(&digest);
    let count = async || remembered::count(&gateway.link, &request, &digest, MONITOR, &all).await;
    let mut outcomes = count().await?;
    let is_missing = |problem: &Problem| problem.code == Code::UnknownMonitor;
    if outcomes.iter().flatten().any(|part| part.result.as_ref().is_err_and(is_missing)) {
        create(gateway).await?;
        // There was none for any of them.
        outcomes = count().await?;
    }
    for (group, parts) in groups.iter().zip(outcomes) {
        tally.add(&group.items, parts);
    }
    Ok(())
}

/// With as many crosses as the server's memory for a monitor allows.
async fn create(gateway: &Gateway) -> Result<(), Problem> {
    let mut connection = gateway.link.connection()?;
    for crosses in (0..=CROSSES.len()).rev() {
        let mut create = redis::cmd("EDDY.CREATE");
        create.arg(MONITOR).arg("WINDOW").arg(WINDOW_MS).arg("DIMENSIONS").arg(DIMENSIONS.len()).arg(&DIMENSIONS);
        if crosses > 0 {
            create.arg("CROSSES").arg(crosses).arg(&CROSSES[..crosses]);
        }
        create.arg("MEASURES").arg(1).arg(MEASURE).arg("NX");
        match create.exec_async(&mut connection).await {
            Ok(()) => {
                info!(monitor = MONITOR, crosses, "made for spans");
                return Ok(());
            }
            Err(error) if crosses == 0 || !error.to_string().contains("MEMORY") => {
                return Err(refusal(MONITOR, &error));
            }
            Err(_) => {}
        }
    }
    Ok(())
}
