//! Values that stand elsewhere: `env:NAME` and `file:/path`, so that a secret needn't be in the file.

use std::fs::File;
use std::io::Read;

/// Larger than any secret, and most collections of certificates.
const MOST_BYTES: u64 = 1 << 20;

/// What `text` stands for; the text itself, where it refers to nothing.
///
/// # Errors
/// What is missing. Shows nothing of what is there.
pub(super) fn resolve(text: &str) -> Result<String, String> {
    if let Some(name) = text.strip_prefix("env:") {
        return std::env::var(name)
            .map_err(|_| format!("the environment variable '{}' isn't set, or isn't text", name.escape_debug()));
    }
    match text.strip_prefix("file:") {
        Some(path) => contents(path).map_err(|why| format!("the file '{}' {why}", path.escape_debug())),
        None => Ok(text.to_owned()),
    }
}

/// Whether `text` refers to another place.
pub(super) fn is_reference(text: &str) -> bool {
    text.starts_with("env:") || text.starts_with("file:")
}

/// Without the line break that editors leave at the end.
pub(super) fn contents(path: &str) -> Result<String, String> {
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text))
        .map_err(|error| format!("can't be read: {error}"))?;
    if text.len() as u64 > MOST_BYTES {
        return Err("is larger than 1 MiB".to_owned());
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_and_files_are_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        assert_eq!(resolve(&format!("file:{}", path.display())).unwrap(), "s3cret");
        assert_eq!(resolve("env:CARGO_PKG_NAME").unwrap(), "eddyline");
        assert_eq!(resolve("https://x").unwrap(), "https://x");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(resolve("env:NO_SUCH").unwrap_err(), "the environment variable 'NO_SUCH' isn't set, or isn't text");
        assert!(resolve("file:/no/such").unwrap_err().starts_with("the file '/no/such' can't be read"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large");
        std::fs::write(&path, "x".repeat((1 << 20) + 1)).unwrap();
        let error = resolve(&format!("file:{}", path.display())).unwrap_err();
        assert!(error.ends_with("is larger than 1 MiB") && !error.contains("xxx"), "{error}");
    }
}
