//! Watching a download.

/// Someone who watches a download.
pub trait Watcher {
    /// An answer has come from `url`: `have` bytes of `total`, if that is known, were there before.
    fn begin(&mut self, url: &str, have: u64, total: Option<u64>);
    /// More bytes have come.
    fn advance(&mut self, bytes: u64);
}
