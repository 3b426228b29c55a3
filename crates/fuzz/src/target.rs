//! What can be fuzzed.

use crate::chance::Chance;
use crate::resp::Case;
use anyhow::Result;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What went wrong with an input that must do no harm.
pub(crate) type Harm = String;

/// What became of some cases.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    /// Cases that were taken for good: the others were refused at once.
    pub(crate) accepted: u64,
    /// What went wrong.
    pub(crate) harm: Option<Harm>,
}

/// Something that reads bytes from outside.
pub(crate) trait Target {
    /// A new case.
    fn case(&mut self, chance: &mut Chance) -> Case;

    /// Cases tried at once.
    fn at_once(&self) -> usize {
        1
    }

    /// Tries the cases; a harm ends this target's turn, and `self` must be as good as new after it.
    ///
    /// # Errors
    /// Whatever keeps it from being tried at all.
    fn try_all(&mut self, cases: &[Case]) -> Result<Tried>;
}

thread_local! {
    static TRYING: Cell<bool> = const { Cell::new(false) };
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on panics of what is tried are told as harm instead of being printed.
pub(crate) fn keep_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !TRYING.get() {
            return print(panic);
        }
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = payload_text(panic.payload());
        LAST_PANIC.with_borrow_mut(|last| *last = format!("panic at {place}: {text}"));
    }));
}

fn payload_text(payload: &dyn Any) -> &str {
    payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied()).unwrap_or("")
}

/// Tries each case by `one`, which says whether it was accepted, until one does harm or panics.
pub(crate) fn each(cases: &[Case], one: impl Fn(&Case) -> Result<bool, Harm>) -> Tried {
    let mut tried = Tried::default();
    for case in cases {
        TRYING.set(true);
        let outcome = catch_unwind(AssertUnwindSafe(|| one(case)));
        TRYING.set(false);
        match outcome {
            Ok(Ok(accepted)) => tried.accepted += u64::from(accepted),
            Ok(Err(harm)) => return Tried { harm: Some(harm), ..tried },
            Err(_) => return Tried { harm: Some(LAST_PANIC.with_borrow(Clone::clone)), ..tried },
        }
    }
    tried
}
