//! Which monitors there are, and which of them watch a source.
//!
//! A hint, not a truth: whoever finds a key here opens it and may find nothing. What matters is that no monitor is
//! missing, so every way in which one appears under a key puts it here.

use eddyline_monitor::Monitor;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

type Name = Vec<u8>;

/// What is known of a monitor without opening its key.
#[derive(Debug, Default)]
struct Known {
    sources: Vec<Name>,
    /// As the timer saw it last.
    standing: Totals,
}

/// Sums over monitors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// How many.
    pub(crate) monitors: u64,
    /// Most bytes they take.
    pub(crate) bytes: u64,
    /// How many have unread entries in their sources.
    pub(crate) behind: u64,
    /// Items in their outboxes.
    pub(crate) waiting: u64,
}

impl Totals {
    fn of(monitor: &Monitor) -> Self {
        let (bytes, waiting) = (monitor.bytes_at_most(), monitor.waiting() as u64);
        Self { monitors: 1, bytes, behind: u64::from(!monitor.following()), waiting }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            monitors: self.monitors + other.monitors,
            bytes: self.bytes + other.bytes,
            behind: self.behind + other.behind,
            waiting: self.waiting + other.waiting,
        }
    }
}

/// The monitors of one database.
#[derive(Debug, Default)]
struct Database {
    monitors: BTreeMap<Name, Known>,
    watchers: BTreeMap<Name, Vec<Name>>,
}

/// The monitors of this node by database.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    databases: BTreeMap<i32, Database>,
    /// How often databases changed places.
    swaps: u64,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { databases: BTreeMap::new(), swaps: 0 });

impl Registry {
    /// The one registry. Never held while the server is called: what it does may come back through the hook.
    pub(crate) fn lock() -> MutexGuard<'static, Self> {
        REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `monitor` stands under `key`.
    pub(crate) fn put(&mut self, db: i32, key: &[u8], monitor: &Monitor) {
        self.remove(db, key);
        let sources: Vec<Name> = monitor.sources().iter().map(|source| source.name.clone()).collect();
        let database = self.databases.entry(db).or_default();
        for source in &sources {
            database.watchers.entry(source.clone()).or_default().push(key.to_vec());
        }
        database.monitors.insert(key.to_vec(), Known { sources, standing: Totals::of(monitor) });
    }

    /// How `monitor` under `key` stands now.
    pub(crate) fn saw(&mut self, db: i32, key: &[u8], monitor: &Monitor) {
        if let Some(known) = self.databases.get_mut(&db).and_then(|database| database.monitors.get_mut(key)) {
            known.standing = Totals::of(monitor);
        }
    }

    /// Sums over all monitors; none while the registry changes, which a crash may interrupt.
    pub(crate) fn totals() -> Option<Totals> {
        let registry = REGISTRY.try_lock().ok()?;
        let all = registry.databases.values().flat_map(|database| database.monitors.values());
        Some(all.fold(Totals::default(), |sum, known| sum.plus(known.standing)))
    }

    /// Nothing of ours stands under `key`.
    pub(crate) fn remove(&mut self, db: i32, key: &[u8]) {
        let Some(database) = self.databases.get_mut(&db) else { return };
        for source in database.monitors.remove(key).unwrap_or_default().sources {
            if let Some(watchers) = database.watchers.get_mut(&source) {
                watchers.retain(|watcher| watcher != key);
                if watchers.is_empty() {
                    database.watchers.remove(&source);
                }
            }
        }
    }

    /// Two databases changed places.
    pub(crate) fn swap(&mut self, first: i32, second: i32) {
        self.swaps += 1;
        let (a, b) = (self.databases.remove(&first), self.databases.remove(&second));
        self.databases.extend(a.map(|database| (second, database)));
        self.databases.extend(b.map(|database| (first, database)));
    }

    /// One database, or every one, is empty.
    pub(crate) fn forget(&mut self, db: Option<i32>) {
        match db {
            Some(db) => drop(self.databases.remove(&db)),
            None => self.databases.clear(),
        }
    }

    /// Monitors that read the stream `source`.
    pub(crate) fn watchers(&self, db: i32, source: &[u8]) -> Vec<Name> {
        self.databases.get(&db).and_then(|database| database.watchers.get(source)).cloned().unwrap_or_default()
    }

    /// Monitors of one database, in the order of their names.
    pub(crate) fn of_database(&self, db: i32) -> Vec<Name> {
        self.databases.get(&db).map(|database| database.monitors.keys().cloned().collect()).unwrap_or_default()
    }

    /// Whether there is such a monitor.
    pub(crate) fn has(&self, (db, key): &(i32, Name)) -> bool {
        self.databases.get(db).is_some_and(|database| database.monitors.contains_key(key))
    }

    /// How often databases changed places: other monitors may stand under the same names since.
    pub(crate) fn swaps(&self) -> u64 {
        self.swaps
    }

    /// Number of monitors.
    pub(crate) fn count(&self) -> usize {
        self.databases.values().map(|database| database.monitors.len()).sum()
    }

    /// The monitor behind `name` in the order of databases and keys, the first one behind the last.
    pub(crate) fn after(&self, name: Option<&(i32, Name)>) -> Option<(i32, Name)> {
        let first = || self.databases.iter().find_map(|(db, all)| Some((*db, all.monitors.keys().next()?.clone())));
        let Some((db, key)) = name else { return first() };
        let behind = (Bound::Excluded(key.as_slice()), Bound::Unbounded);
        let here = self.databases.get(db).and_then(|all| all.monitors.range::<[u8], _>(behind).next());
        let later = || {
            let databases = self.databases.range((Bound::Excluded(*db), Bound::Unbounded));
            databases.into_iter().find_map(|(db, all)| Some((*db, all.monitors.keys().next()?.clone())))
        };
        here.map(|(key, _)| (*db, key.clone())).or_else(later).or_else(first)
    }
}

/// Drops a key from the registry that no longer holds a monitor.
pub(crate) fn forget_missing<R, E>(db: i32, key: &[u8], found: Result<R, E>) -> Option<R> {
    if found.is_err() {
        Registry::lock().remove(db, key);
    }
    found.ok()
}
