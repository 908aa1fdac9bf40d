//! Work on many things by all processors, with the result that one would give.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

/// More threads than this gain nothing where files are read.
const MOST: usize = 16;

/// What `work` makes of each item, in order, or the first error in that order.
pub(super) fn in_parallel<T: Sync, U: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<U, E> + Sync,
) -> Result<Vec<U>, E> {
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST);
    let each = items.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        let started: Vec<_> = items
            .chunks(each)
            .map(|chunk| scope.spawn(|| chunk.iter().map(&work).collect::<Result<Vec<U>, E>>()))
            .collect();
        let mut all = Vec::with_capacity(items.len());
        for thread in started {
            all.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(all)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_the_first_error_told() {
        let items: Vec<u32> = (0..1000).collect();
        let twice = in_parallel(&items, |item| Ok::<_, ()>(2 * item)).unwrap();
        assert!(
            twice
                .iter()
                .zip(&items)
                .all(|(twice, item)| *twice == 2 * item)
        );
        for first in [0, 499, 999] {
            let found = in_parallel(
                &items,
                |item| if *item < first { Ok(()) } else { Err(*item) },
            );
            assert_eq!(found, Err(first));
        }
        assert_eq!(in_parallel(&[], |_: &u32| Ok::<u32, ()>(1)), Ok(vec![]));
    }
}
