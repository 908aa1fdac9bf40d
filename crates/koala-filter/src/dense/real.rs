//! The element types of dense optimizers.

use std::ops::{Add, Div, Mul, Sub};

use serde::Serialize;
use serde::de::DeserializeOwned;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`.
pub trait Real:
    Copy
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + std::fmt::Debug
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Serialize
    + DeserializeOwned
    + sealed::Sealed
    + 'static
{
    /// The part of a number by which rounding to this type may change it.
    const ROUNDING: f64;
    /// Whether a product of two numbers is one of f64, so that adding it rounds once, fused or not.
    const EXACT_PRODUCTS: bool;

    /// The nearest value of this type.
    fn from_f64(value: f64) -> Self;
    /// The same value as an `f64`.
    fn to_f64(self) -> f64;

    /// The square root.
    #[must_use]
    fn sqrt(self) -> Self;
}

impl Real for f32 {
    const ROUNDING: f64 = 0.5 * f32::EPSILON as f64;
    const EXACT_PRODUCTS: bool = true;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f32::sqrt(self)
    }
}

impl Real for f64 {
    const ROUNDING: f64 = 0.5 * f64::EPSILON;
    const EXACT_PRODUCTS: bool = false;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        f64::sqrt(self)
    }
}
