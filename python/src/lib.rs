//! The native half of `koala_optim`: the filter of `koala-filter`, and its passes over CPU tensors, for Python. All that is
//! public here is private to that package.

mod conformance;
mod error;
mod filter;
mod lent;
mod measured;
mod numbers;
mod pool;
mod step;
mod tensor;

use pyo3::prelude::*;

/// Native half of `koala_optim`.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::conformance::{conformance_case, conformance_cases};
    #[pymodule_export]
    use crate::error::TooManyMissing;
    #[pymodule_export]
    use crate::filter::PyFilter;
    #[pymodule_export]
    use crate::lent::Tensors;
    #[pymodule_export]
    use crate::measured::Measured;
    /// Vectors that the passes know for each parameter.
    #[pymodule_export]
    const SLOTS: usize = koala_filter::SLOTS;
}
