//! A command as `COMMAND INFO` and `COMMAND DOCS` show it, in the server's structures.

use eddyline_wire::command::grammar::{Argument, Keys, Kind};
use eddyline_wire::command::table::Command;
use redis_module::raw;
use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{null, null_mut};

/// The first release that had the commands.
const SINCE: &CStr = c"0.1.0";

/// A description, with all that its pointers lead to.
pub(super) struct Docs {
    name: CString,
    summary: CString,
    complexity: CString,
    tips: CString,
    arity: c_int,
    keys: Vec<raw::RedisModuleCommandKeySpec>,
    arguments: Vec<raw::RedisModuleCommandArg>,
    /// What `keys` and `arguments` point to; the heap keeps it in its place.
    held: Held,
}

#[derive(Default)]
struct Held {
    texts: Vec<CString>,
    lists: Vec<Vec<raw::RedisModuleCommandArg>>,
    keys: c_int,
}

impl Docs {
    /// The description of `command`.
    pub(super) fn of(command: &Command) -> Result<Self, &'static str> {
        let name = command.name.to_ascii_lowercase();
        let [name, summary, complexity, tips] =
            [name.as_str(), command.summary, command.complexity, command.tips].map(text);
        let (arity, mut held) = (command.arity, Held::default());
        let keys = held.keys(&command.keys()?, command);
        let arguments = held.list(&command.tree()?);
        Ok(Self { name, summary, complexity, tips, arity, keys, arguments, held })
    }

    /// The command's name.
    pub(super) fn name(&self) -> &CStr {
        &self.name
    }

    /// Tells the server; says whether it accepted.
    pub(super) fn tell(mut self, command: *mut raw::RedisModuleCommand) -> bool {
        let version = raw::RedisModuleCommandInfoVersion {
            version: 1,
            sizeof_historyentry: size_of::<raw::RedisModuleCommandHistoryEntry>(),
            sizeof_keyspec: size_of::<raw::RedisModuleCommandKeySpec>(),
            sizeof_arg: size_of::<raw::RedisModuleCommandArg>(),
        };
        let info = raw::RedisModuleCommandInfo {
            version: &raw const version,
            summary: self.summary.as_ptr(),
            complexity: self.complexity.as_ptr(),
            since: SINCE.as_ptr(),
            history: null_mut(),
            tips: if self.tips.is_empty() { null() } else { self.tips.as_ptr() },
            arity: self.arity,
            key_specs: self.keys.as_mut_ptr(),
            args: if self.arguments.len() > 1 { self.arguments.as_mut_ptr() } else { null_mut() },
        };
        // SAFETY: all that `info` points to is held by `self` until after the call, which copies it; lists end in zeros.
        let told = unsafe { raw::RedisModule_SetCommandInfo.map(|tell| tell(command, &raw const info)) };
        drop(self.held);
        told == Some(raw::Status::Ok as c_int)
    }
}

impl Held {
    fn text(&mut self, from: &str) -> *const c_char {
        self.texts.push(text(from));
        self.texts.last().map_or(null(), |text| text.as_ptr())
    }

    /// Specs of the keys: the first is the command's own, the others are read. Ends in zeros.
    fn keys(&mut self, keys: &[Keys], command: &Command) -> Vec<raw::RedisModuleCommandKeySpec> {
        // SAFETY: a structure of numbers, pointers and unions of them; all zeros end the list.
        let blank: raw::RedisModuleCommandKeySpec = unsafe { std::mem::zeroed() };
        let mut specs = Vec::with_capacity(keys.len() + 1);
        for key in keys {
            let mut spec = blank;
            let reads = raw::REDISMODULE_CMD_KEY_ACCESS;
            let changes = raw::REDISMODULE_CMD_KEY_RW | raw::REDISMODULE_CMD_KEY_UPDATE;
            spec.flags = u64::from(match (command.writes() && specs.is_empty(), command.reads) {
                (true, true) => changes | reads,
                (true, false) => changes,
                (false, _) => raw::REDISMODULE_CMD_KEY_RO | reads,
            });
            spec.begin_search_type = raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_INDEX;
            spec.find_keys_type = raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_KEYNUM;
            spec.fk.keynum.keystep = 1;
            spec.fk.keynum.firstkey = 1;
            match key {
                Keys::At(at) => {
                    spec.bs.index.pos = *at as c_int;
                    spec.find_keys_type = raw::RedisModuleKeySpecFindKeysType_REDISMODULE_KSPEC_FK_RANGE;
                    spec.fk = blank.fk;
                    spec.fk.range.keystep = 1;
                }
                Keys::CountedAt(at) => spec.bs.index.pos = *at as c_int,
                Keys::CountedAfter(word) => {
                    spec.begin_search_type = raw::RedisModuleKeySpecBeginSearchType_REDISMODULE_KSPEC_BS_KEYWORD;
                    spec.bs.keyword.keyword = self.text(word);
                    spec.bs.keyword.startfrom = 2;
                }
            }
            specs.push(spec);
        }
        specs.push(blank);
        specs
    }

    /// Arguments as the server wants them. Ends in zeros.
    fn list(&mut self, arguments: &[Argument]) -> Vec<raw::RedisModuleCommandArg> {
        // SAFETY: a structure of numbers and pointers; all zeros end the list.
        let blank: raw::RedisModuleCommandArg = unsafe { std::mem::zeroed() };
        let mut list: Vec<_> = arguments.iter().map(|argument| self.argument(argument, blank)).collect();
        list.push(blank);
        list
    }

    fn argument(&mut self, from: &Argument, blank: raw::RedisModuleCommandArg) -> raw::RedisModuleCommandArg {
        let mut argument = blank;
        argument.name = self.text(&from.name);
        argument.key_spec_index = -1;
        argument.token = from.token.as_deref().map_or(null(), |token| self.text(token));
        let flags =
            [(from.optional, raw::REDISMODULE_CMD_ARG_OPTIONAL), (from.multiple, raw::REDISMODULE_CMD_ARG_MULTIPLE)];
        argument.flags = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag as c_int).sum();
        argument.type_ = match &from.kind {
            Kind::Key => {
                argument.key_spec_index = self.keys;
                self.keys += 1;
                raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_KEY
            }
            Kind::Integer => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_INTEGER,
            Kind::Double => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_DOUBLE,
            Kind::Text => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_STRING,
            Kind::Token => raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_PURE_TOKEN,
            Kind::OneOf(of) => {
                argument.subargs = self.below(of);
                raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_ONEOF
            }
            Kind::Block(of) => {
                argument.subargs = self.below(of);
                raw::RedisModuleCommandArgType_REDISMODULE_ARG_TYPE_BLOCK
            }
        };
        argument
    }

    fn below(&mut self, arguments: &[Argument]) -> *mut raw::RedisModuleCommandArg {
        let list = self.list(arguments);
        self.lists.push(list);
        self.lists.last_mut().map_or(null_mut(), Vec::as_mut_ptr)
    }
}

fn text(from: &str) -> CString {
    CString::new(from).unwrap_or_default()
}
