//! The whole command surface on one screen.

/// One command: how it is registered, and what `EDDY.HELP` and `COMMAND DOCS` say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    /// Upper-case name.
    pub name: &'static str,
    /// Its arguments, as `EDDY.HELP` prints them.
    pub arguments: &'static str,
    /// One line: what it does.
    pub summary: &'static str,
    /// Arguments including the name; negative = at least.
    pub arity: i32,
    /// Flags of registration; `admin` makes a command `@dangerous`.
    pub flags: &'static str,
    /// Whether its first argument is the monitor's key.
    pub keyed: bool,
    /// Whether `EDDY.HELP` hides it.
    pub internal: bool,
    /// Cost.
    pub complexity: &'static str,
}

const fn keyed(
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    arity: i32,
    flags: &'static str,
    complexity: &'static str,
) -> Command {
    Command { name, arguments, summary, arity, flags, keyed: true, internal: false, complexity }
}

const fn internal(name: &'static str, arguments: &'static str, summary: &'static str, arity: i32) -> Command {
    Command {
        name,
        arguments,
        summary,
        arity,
        flags: "write admin",
        keyed: true,
        internal: true,
        complexity: "O(N) with N entries or features",
    }
}

const fn keyless(name: &'static str, summary: &'static str, flags: &'static str) -> Command {
    Command { name, arguments: "", summary, arity: 1, flags, keyed: false, internal: false, complexity: "O(N)" }
}

/// Every command, in the order of `EDDY.HELP`.
pub const COMMANDS: &[Command] = &[
    keyed(
        "EDDY.CREATE",
        "key [SOURCES n stream...] [FROM id|$] [CLOCK server|stream] [WINDOW ms] [BUCKETS b] [RETENTION n] \
         [MEMORY bytes] [DIMENSIONS n field...] [CROSSES n a*b...] [MEASURES n field...] [UNIQUES n field...] \
         [HASHED n field...] [SALT hex] [NX] [DRYRUN]",
        "Makes a monitor; with no list of fields, they are inferred from the first observations.",
        -2,
        "write deny-oom",
        "O(B) with B bytes of the monitor",
    ),
    keyed(
        "EDDY.OBSERVE",
        "key field value [field value ...]",
        "Counts one observation. Replies with the observations in the open window.",
        -4,
        "write fast",
        "O(N) with N fields",
    ),
    keyed(
        "EDDY.MOBSERVE",
        "key n field... value... [value ...]",
        "Counts up to 1000 observations that share one list of fields.",
        -5,
        "write",
        "O(N) with N values",
    ),
    keyed(
        "EDDY.COUNT",
        "key dimension item [item ...]",
        "For each item: how often it was counted in the open window and in the last one, and a window in the long run.",
        -4,
        "readonly",
        "O(N) with N items",
    ),
    keyed(
        "EDDY.TOP",
        "key dimension [k]",
        "The heaviest items of the open window and of the last one, with their counts.",
        -3,
        "readonly",
        "O(1)",
    ),
    keyed(
        "EDDY.QUANTILE",
        "key measure q [q ...]",
        "Quantiles of a measure in the last closed window.",
        -4,
        "readonly",
        "O(N) with N quantiles",
    ),
    keyed(
        "EDDY.FINGERPRINT",
        "key [ID id]",
        "The last fingerprint, or the one under an id: every number by name, buckets where they aren't 0.",
        -2,
        "readonly",
        "O(N) with N features",
    ),
    keyed(
        "EDDY.SCHEMA",
        "key",
        "The schema's id and the features in vector order.",
        2,
        "readonly",
        "O(N) with N features",
    ),
    keyed(
        "EDDY.INFO",
        "key",
        "State, open window, sources, memory and what was left out, by reason.",
        2,
        "readonly",
        "O(1)",
    ),
    keyed(
        "EDDY.ALTER",
        "key [SOURCES n stream...] [FROM id|$] [CLOCK server|stream] [PAUSED yes|no] [RETENTION n]",
        "Changes sources, clock or retention of a monitor, stops or resumes it. What it counts stays as it was made.",
        -4,
        "write deny-oom",
        "O(1)",
    ),
    keyed(
        "EDDY.RESET",
        "key",
        "Forgets what was counted; the definition, the sources' places and waiting fingerprints stay.",
        2,
        "write",
        "O(B) with B bytes of the monitor",
    ),
    keyless("EDDY.LIST", "The monitors of this database on this node.", "readonly"),
    keyless("EDDY.HELP", "This text.", "readonly fast"),
    internal("EDDY.CLOSE", "key end-ms", "Time has come to a window boundary.", 3),
    internal("EDDY.READ", "key source last-id", "Count a source's entries up to an id.", 4),
    internal("EDDY.RESTORE", "key payload", "Puts a monitor back from an append-only file.", 3),
    internal("EDDY.SENT", "key end-ms [LOST]", "The fingerprints up to a window end stand in the stream.", -3),
];

/// The lines of `EDDY.HELP`.
pub fn help() -> impl Iterator<Item = String> {
    COMMANDS.iter().filter(|command| !command.internal).flat_map(|command| {
        [format!("{} {}", command.name, command.arguments).trim_end().to_owned(), format!("    {}", command.summary)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_hides_internal_commands() {
        let text: Vec<String> = help().collect();
        assert!(text.contains(&"EDDY.SCHEMA key".to_owned()));
        assert!(!text.iter().any(|line| line.contains("EDDY.SENT")));
    }
}
