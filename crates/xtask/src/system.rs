//! Programs of the system.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::stop;

/// A word that a shell takes as it is.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What it prints, if it succeeds.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let told = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{told} can't be started"))?;
    stop::check()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{told} fails, {}:\n{text}{error}", output.status);
    }
    Ok(text)
}

/// It succeeds, or else what it printed is the error.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{output, quoted};
    use std::process::Command;

    #[test]
    fn a_quoted_word_is_taken_as_it_is() {
        let word = "it's $HOME; \"x\" \\ *";
        let printed = output(Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]));
        assert_eq!(printed.expect("it succeeds"), word);
    }
}
