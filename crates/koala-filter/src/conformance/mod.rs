//! The same made runs for every adapter: what each must do with the same gradients and losses (feature `conformance`).
//!
//! [`cases`] makes the runs, [`Case::reference`] steps them through [`dense::Koala`](crate::dense::Koala), and [`check`]
//! steps them through an [`Adapter`] and compares every parameter after every predict and every update. Everything is
//! made from fixed seeds and serializable, so that adapters outside Rust can be given the same runs as files.

mod case;
mod check;
mod made;

pub use case::{Case, Reference, Step};
pub use check::{Adapter, check};
pub use made::cases;
