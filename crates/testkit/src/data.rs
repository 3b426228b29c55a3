use std::env;
use std::path::PathBuf;

use crate::module::workspace_root;

/// Folder of a labelled data set (`onlineboutique`, `smd`, ...): in `EDDYLINE_DATA`, by default `../shared/data` beside
/// the workspace. Where it is missing this says so on standard error and gives none; the test then returns.
pub fn data_dir(set: &str) -> Option<PathBuf> {
    let root = match env::var_os("EDDYLINE_DATA") {
        Some(given) => workspace_root().join(given),
        None => workspace_root().join("../shared/data"),
    };
    let folder = root.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no labelled data in {} (set EDDYLINE_DATA)", folder.display());
    None
}
