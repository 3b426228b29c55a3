//! Whether bindgen will find libclang and its headers: it loads the newest library of the usual folders.

use std::fs;
use std::path::{Path, PathBuf};

/// Where libraries are, below the root; two levels of folders below each are looked at too.
const LIBRARIES: [&str; 4] = ["usr/lib", "usr/lib64", "usr/local/lib", "usr/local/lib64"];

/// What is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Libclang {
    /// Library and headers, of this version where it is known.
    Complete(Option<u32>),
    /// The library of this version alone.
    WithoutHeaders(Option<u32>),
    Absent,
}

/// Looks below `root`, which is `/` outside of tests.
pub(super) fn find(root: &Path) -> Libclang {
    let folders: Vec<PathBuf> = LIBRARIES.iter().flat_map(|folder| with_inner(&root.join(folder), 2)).collect();
    let libraries = folders.iter().flat_map(|folder| entries(folder));
    let newest = libraries.filter(|file| is_library(file)).map(|file| version(&file)).max();
    let Some(newest) = newest else { return Libclang::Absent };
    let is_of_newest = |headers: &Path| {
        let of = headers.file_name().and_then(|name| name.to_str()?.split('.').next()?.parse().ok());
        newest.is_none() || of == newest
    };
    let headers = folders.iter().flat_map(|folder| entries(&folder.join("clang")));
    let has_headers = headers.filter(|it| is_of_newest(it)).any(|it| it.join("include/stddef.h").is_file());
    if has_headers { Libclang::Complete(newest) } else { Libclang::WithoutHeaders(newest) }
}

/// `folder` and the folders in it, down to `depth`.
fn with_inner(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut all = vec![folder.to_owned()];
    if depth > 0 {
        let inner = entries(folder).into_iter().filter(|path| path.is_dir());
        all.extend(inner.flat_map(|inner| with_inner(&inner, depth - 1)));
    }
    all
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// `libclang.so`, `libclang.so.1`, `libclang-14.so`, `libclang-14.so.1`; not `libclang-cpp.so.14`. A dangling link
/// is none.
fn is_library(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((stem, _)) = name.split_once(".so") else { return false };
    let versioned = stem.strip_prefix("libclang-").is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()));
    (stem == "libclang" || versioned) && file.is_file()
}

/// The version that the file's name, or that of a folder above it (`llvm-14`), tells.
fn version(file: &Path) -> Option<u32> {
    file.ancestors().find_map(|path| {
        let name = path.file_name()?.to_str()?;
        let number = name.strip_prefix("libclang-").or(name.strip_prefix("llvm-"))?;
        number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::{Libclang, find};
    use std::fs;

    #[test]
    fn library_without_the_headers_of_its_version_is_not_enough() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let put = |path: &str| {
            let file = root.path().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("folders");
            fs::write(file, "").expect("a file");
        };
        assert_eq!(find(root.path()), Libclang::Absent);
        put("usr/lib/llvm-14/lib/libclang-cpp.so.14");
        put("usr/lib/llvm-14/lib/clang/14.0.6/include/stddef.h");
        assert_eq!(find(root.path()), Libclang::Absent);
        put("usr/lib/llvm-14/lib/libclang.so.1");
        assert_eq!(find(root.path()), Libclang::Complete(Some(14)));
        put("usr/lib/x86_64-linux-gnu/libclang-19.so.19");
        assert_eq!(find(root.path()), Libclang::WithoutHeaders(Some(19)));
        put("usr/lib/llvm-19/lib/clang/19/include/stddef.h");
        assert_eq!(find(root.path()), Libclang::Complete(Some(19)));
    }

    #[test]
    fn library_that_names_no_version_takes_any_headers() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("usr/lib64/clang/17/include");
        fs::create_dir_all(&folder).expect("folders");
        fs::write(root.path().join("usr/lib64/libclang.so"), "").expect("a file");
        assert_eq!(find(root.path()), Libclang::WithoutHeaders(None));
        fs::write(folder.join("stddef.h"), "").expect("a file");
        assert_eq!(find(root.path()), Libclang::Complete(None));
    }
}
