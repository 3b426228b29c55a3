//! `deploy/Dockerfile`, read as far as it goes: an instruction that isn't known here is an error, so that none is skipped.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// One image, from its `FROM` on.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) name: String,
    /// A stage above, or an image of a registry.
    pub(super) base: String,
    pub(super) steps: Vec<Step>,
    pub(super) image: Image,
}

/// What changes the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Run(String),
    Copy { from: Option<String>, sources: Vec<String>, to: String },
    Workdir(String),
}

/// What containers of the image are started with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) user: String,
    pub(super) workdir: String,
    pub(super) entrypoint: Vec<String>,
    pub(super) command: Vec<String>,
    pub(super) health: Vec<String>,
    pub(super) ports: Vec<u16>,
}

/// The stages in order; `given` counts more than the defaults of `ARG`.
pub(super) fn read(text: &str, given: &BTreeMap<String, String>) -> Result<Vec<Stage>> {
    let mut arguments = BTreeMap::new();
    let mut stages: Vec<Stage> = Vec::new();
    for line in lines(text) {
        let (word, rest) = line.split_once(' ').with_context(|| format!("what is {line:?}?"))?;
        let rest = rest.trim();
        if word == "ARG" {
            let (name, default) = rest.split_once('=').with_context(|| format!("ARG without a default: {rest}"))?;
            arguments.insert(name.to_owned(), given.get(name).map_or(default, String::as_str).to_owned());
            continue;
        }
        if word == "FROM" {
            let (base, name) = rest.split_once(" AS ").with_context(|| format!("FROM without a name: {rest}"))?;
            let base = filled(base, &arguments)?;
            let image = stages.iter().find(|stage| stage.name == base).map(|stage| stage.image.clone());
            let (name, image) = (name.to_owned(), image.unwrap_or_default());
            stages.push(Stage { name, base, steps: Vec::new(), image });
            continue;
        }
        let stage = stages.last_mut().with_context(|| format!("{word} before FROM"))?;
        stage.take(word, rest).with_context(|| format!("{word} {rest}"))?;
    }
    Ok(stages)
}

impl Stage {
    fn take(&mut self, word: &str, rest: &str) -> Result<()> {
        match word {
            "RUN" => self.steps.push(Step::Run(rest.to_owned())),
            "COPY" => {
                let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
                let from = words.first().and_then(|first| first.strip_prefix("--from=")).map(str::to_owned);
                words.drain(..usize::from(from.is_some()));
                let to = words.pop().filter(|_| !words.is_empty()).context("from where to where?")?;
                self.steps.push(Step::Copy { from, sources: words, to });
            }
            "WORKDIR" => {
                self.steps.push(Step::Workdir(rest.to_owned()));
                rest.clone_into(&mut self.image.workdir);
            }
            "USER" => rest.clone_into(&mut self.image.user),
            "EXPOSE" => self.image.ports = rest.split(' ').map(str::parse).collect::<Result<_, _>>()?,
            "ENTRYPOINT" => self.image.entrypoint = serde_json::from_str(rest)?,
            "CMD" => self.image.command = serde_json::from_str(rest)?,
            "HEALTHCHECK" => {
                let (_, command) = rest.split_once("CMD ").context("without CMD")?;
                self.image.health = serde_json::from_str(command)?;
            }
            _ => bail!("this instruction isn't known here"),
        }
        Ok(())
    }
}

/// Instructions, without comments and with their continuations.
fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut continues = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let part = line.strip_suffix('\\').unwrap_or(line).trim_end();
        match lines.last_mut().filter(|_| continues) {
            Some(last) => *last = format!("{last} {part}"),
            None => lines.push(part.to_owned()),
        }
        continues = line.ends_with('\\');
    }
    lines
}

/// With each `${NAME}` replaced.
fn filled(text: &str, arguments: &BTreeMap<String, String>) -> Result<String> {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').with_context(|| format!("{text} has no end"))?;
        whole += arguments.get(name).with_context(|| format!("no ARG {name}"))?;
        whole += rest;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::{Step, read};
    use std::collections::BTreeMap;

    const TEXT: &str = "# two\nARG V=8\nFROM a:${V}-x AS one\nWORKDIR /b\nRUN first \\\n  second\n\n\
                        FROM one AS two\nCOPY --from=one /x /y/\nCOPY a b /c/\nUSER 9:9\nEXPOSE 80 81\n\
                        HEALTHCHECK --retries=3 CMD [\"h\"]\nENTRYPOINT [\"e\"]\nCMD []\n";

    #[test]
    fn stages_have_their_steps_and_what_containers_start_with() {
        let stages = read(TEXT, &BTreeMap::new()).expect("it is right");
        assert_eq!((stages[0].base.as_str(), stages[1].base.as_str()), ("a:8-x", "one"));
        assert_eq!(stages[0].steps, [Step::Workdir("/b".into()), Step::Run("first second".into())]);
        let copy = |from: Option<&str>, sources: &[&str], to: &str| Step::Copy {
            from: from.map(str::to_owned),
            sources: sources.iter().map(|&source| source.to_owned()).collect(),
            to: to.to_owned(),
        };
        assert_eq!(stages[1].steps, [copy(Some("one"), &["/x"], "/y/"), copy(None, &["a", "b"], "/c/")]);
        let image = &stages[1].image;
        assert_eq!((image.user.as_str(), image.workdir.as_str(), &image.ports[..]), ("9:9", "/b", &[80, 81][..]));
        assert_eq!((&image.entrypoint[..], &image.health[..]), (&["e".to_owned()][..], &["h".to_owned()][..]));
    }

    #[test]
    fn given_arguments_count_more_than_defaults() {
        let given = BTreeMap::from([("V".to_owned(), "9".to_owned())]);
        assert_eq!(read(TEXT, &given).expect("it is right")[0].base, "a:9-x");
    }

    #[test]
    fn what_would_be_skipped_is_refused() {
        for text in ["RUN x", "FROM a", "FROM a AS b\nADD c d", "FROM ${W} AS a", "FROM a AS b\nCOPY c", "ARG X"] {
            assert!(read(text, &BTreeMap::new()).is_err(), "{text}");
        }
    }
}
