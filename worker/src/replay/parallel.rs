//! The same work on many things, as many at once as there are cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` on every one of `items`; results in their order. After an error no more is begun.
///
/// # Errors
/// The error of the first item, in their order, that has one.
pub fn each<T: Sync, R: Send, E: Send>(items: &[T], work: impl Fn(&T) -> Result<R, E> + Sync) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            let result = work(item);
            if result.is_err() {
                next.store(items.len(), Ordering::Relaxed);
            }
            done.push((index, result));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let mut done: Vec<(usize, Result<R, E>)> = thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic at work")).collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u64> = (0..100).collect();
        assert_eq!(each(&items, |item| Ok::<_, ()>(item * 2)), Ok((0..100).map(|item| item * 2).collect()));
        assert_eq!(each(&[] as &[u64], |_| Ok::<u64, ()>(0)), Ok(Vec::new()));
    }

    #[test]
    fn an_error_ends_the_work() {
        let items: Vec<u64> = (0..100).collect();
        assert_eq!(each(&items, |item| if *item == 7 { Err(*item) } else { Ok(()) }), Err(7));
    }
}
