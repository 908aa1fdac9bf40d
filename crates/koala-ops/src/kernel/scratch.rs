//! Memory for what is computed on the way.

use std::cell::Cell;

thread_local! {
    static SCRATCH: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Elements that a thread keeps for the next time: 4 MiB.
const KEPT: usize = 1 << 20;

/// Does `work` with so many elements, whatever stands in them. A thread has them again the next time.
pub(crate) fn with_scratch<R>(length: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // Taken, not borrowed: should `work` come here again, it finds none and makes its own.
    let mut memory = SCRATCH.take();
    if memory.len() < length {
        memory.resize(length, 0.0);
    }
    let result = work(&mut memory[..length]);
    if memory.len() <= KEPT {
        SCRATCH.set(memory);
    }
    result
}
