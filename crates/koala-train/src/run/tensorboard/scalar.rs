//! One point of a curve.

use std::borrow::Cow;

/// One point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scalar {
    /// Names the curve; up to the first slash it names the section of the dashboard.
    pub(super) tag: Cow<'static, str>,
    /// Its value; any, also one that is not finite.
    pub(super) value: f64,
    /// What the curve is, in Markdown.
    pub(super) about: &'static str,
}

impl Scalar {
    pub(super) fn new(tag: impl Into<Cow<'static, str>>, value: f64, about: &'static str) -> Self {
        Self {
            tag: tag.into(),
            value,
            about,
        }
    }
}
