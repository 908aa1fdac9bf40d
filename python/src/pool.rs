//! The thread pool of the passes: as many threads as PyTorch uses, so that several processes can share a machine.

use std::sync::{Arc, Mutex, PoisonError};

use koala_filter::dense::passes;
use rayon::{ThreadPool, ThreadPoolBuilder};

struct Pool {
    process: u32,
    threads: usize,
    pool: Arc<ThreadPool>,
}

static POOL: Mutex<Option<Pool>> = Mutex::new(None);

/// Runs `work` on `threads` threads. Without threads to be had it runs on the caller's: the result is the same to the bit.
pub(crate) fn install<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    if threads <= 1 {
        return passes::on_this_thread(work);
    }
    match pool(threads) {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

fn pool(threads: usize) -> Option<Arc<ThreadPool>> {
    let process = std::process::id();
    let mut kept = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = kept.as_ref() {
        if found.threads == threads && found.process == process {
            return Some(found.pool.clone());
        }
        if found.process != process {
            // The threads stayed behind in the process that forked this one: joining them would wait for ever.
            std::mem::forget(kept.take());
        }
    }
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().ok()?;
    let pool = Arc::new(pool);
    *kept = Some(Pool {
        process,
        threads,
        pool: pool.clone(),
    });
    Some(pool)
}
