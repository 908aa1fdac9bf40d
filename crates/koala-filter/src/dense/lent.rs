//! A parameter tensor as it is lent to a pass.

/// One parameter tensor, lent for a pass. Its slices have the same length and the same order of elements, whichever that
/// is; those that a pass or a method has no use for are empty.
#[derive(Debug)]
pub struct Lent<'a, F> {
    /// Its position in the layout.
    pub position: usize,
    /// x.
    pub parameters: &'a mut [F],
    /// g.
    pub gradients: &'a [F],
    /// KOALA-M: v. KOALA++: v'.
    pub first: &'a mut [F],
    /// KOALA-M: a. KOALA++: H'.
    pub second: &'a mut [F],
}
