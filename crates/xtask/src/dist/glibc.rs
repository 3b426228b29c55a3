//! That what is built runs where it should: no symbol of a glibc newer than Debian bookworm's.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::system::output;

/// Debian bookworm's; trixie's is newer.
const OLDEST: (u32, u32) = (2, 36);

/// The newest version of glibc that a program or library needs.
///
/// # Errors
/// It is too new.
pub(crate) fn check(file: &Path) -> Result<String> {
    let symbols = output(Command::new("objdump").arg("-T").arg(file))?;
    let (major, minor) = newest(&symbols).with_context(|| format!("{} needs no glibc", file.display()))?;
    if (major, minor) > OLDEST {
        let (file, oldest) = (file.display(), format!("{}.{}", OLDEST.0, OLDEST.1));
        bail!("{file} needs glibc {major}.{minor}, and bookworm has {oldest}: build it there");
    }
    Ok(format!("{major}.{minor}"))
}

/// Of what `objdump -T` prints.
fn newest(symbols: &str) -> Option<(u32, u32)> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let mut numbers = rest[..end].split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn versions_are_compared_as_numbers() {
        let symbols = "0 DF *UND* 0 (GLIBC_2.4)  strlen\n0 DF *UND* 0 (GLIBC_2.34) x\n0 DF *UND* 0 (GLIBC_2.2.5) y\n\
                       0 DF *UND* 0 (GCC_3.0) z\n0 DF *UND* 0 (GLIBC_PRIVATE) w\n";
        assert_eq!(newest(symbols), Some((2, 34)));
        assert_eq!(newest("0 DF *UND* 0 (GCC_3.0) z"), None);
    }
}
