//! The `CMS.*` commands, registered all or none; their names in lower case, as the original shows them.

use crate::command::table::{Command, internal, keyed};

/// Category of access control, on servers that can have one.
pub const CMS_CATEGORY: &str = "cms";

const fn cms(
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    arity: i32,
    flags: &'static str,
    complexity: &'static str,
) -> Command {
    Command { family: CMS_CATEGORY, ..keyed(name, arguments, summary, arity, flags, complexity) }
}

/// RedisBloom's count-min sketch commands, and the one that an append-only file is rewritten to.
pub const CMS_COMMANDS: &[Command] = &[
    cms(
        "cms.initbydim",
        "key width depth",
        "Makes a count-min sketch of the given width and depth.",
        4,
        "write deny-oom",
        "O(N) with N cells",
    ),
    cms(
        "cms.initbyprob",
        "key error probability",
        "Makes a count-min sketch for the given error of estimates and the probability of a larger one.",
        4,
        "write deny-oom",
        "O(N) with N cells",
    ),
    Command {
        reads: true,
        ..cms(
            "cms.incrby",
            "key item increment [item increment ...]",
            "Adds to the counts of items. Replies with their new estimates.",
            -4,
            "write deny-oom",
            "O(N) with N items",
        )
    },
    cms("cms.query", "key item [item ...]", "The estimated counts of items.", -3, "readonly", "O(N) with N items"),
    cms(
        "cms.merge",
        "destination numkeys source [source ...] [WEIGHTS weight [weight ...]]",
        "Overwrites a sketch with the weighted sum of sketches of its shape.",
        -4,
        "write deny-oom",
        "O(N) with N cells of all sources",
    ),
    cms("cms.info", "key", "Width, depth and the count of all additions.", 2, "readonly", "O(1)")
        .with_tips("dont_cache"),
    internal("eddy.cmsrestore", "key width depth count cells", "Puts a sketch back from an append-only file.", 6),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::grammar::Keys;

    #[test]
    fn access_control_learns_of_every_key() {
        for command in CMS_COMMANDS {
            let sources = (command.name == "cms.merge").then_some(Keys::CountedAt(2));
            let expected: Vec<_> = [Keys::At(1)].into_iter().chain(sources).collect();
            assert_eq!(command.keys(), Ok(expected), "{}", command.name);
        }
    }
}
