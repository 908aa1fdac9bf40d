//! The cut of a tensor into pieces of work: boxes that are contiguous in row-major order. It depends on the shape alone,
//! so that sums do not depend on strides or threads.

use koala_filter::dense::PIECE;

/// Largest rank that is not made contiguous first.
pub(super) const MAX_RANK: usize = 8;

/// One piece: `rows` of axis `axis`, beginning at the row-major position `start`, with all of the axes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub length: usize,
    pub axis: usize,
    pub rows: usize,
}

/// The pieces of a tensor, in row-major order. None if it has no element.
pub(super) fn spans(shape: &[usize]) -> Vec<Span> {
    let elements: usize = shape.iter().product();
    if elements == 0 {
        return Vec::new();
    }
    // The first axis behind which a piece has room for everything.
    let mut inner = elements;
    let mut axis = 0;
    for (at, &size) in shape.iter().enumerate() {
        axis = at;
        inner /= size;
        if inner <= PIECE {
            break;
        }
    }
    let size = shape.get(axis).copied().unwrap_or(1);
    let most = (PIECE / inner).max(1);
    let mut spans = Vec::with_capacity(elements.div_ceil(PIECE));
    for outer in 0..elements / (inner * size) {
        for first in (0..size).step_by(most) {
            let rows = most.min(size - first);
            spans.push(Span {
                start: (outer * size + first) * inner,
                length: rows * inner,
                axis,
                rows,
            });
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pieces_cover_a_tensor_in_order(shape in proptest::collection::vec(0usize..70, 1..5)) {
            let elements: usize = shape.iter().product();
            let mut next = 0;
            for span in spans(&shape) {
                prop_assert_eq!(span.start, next);
                let inner: usize = shape[span.axis + 1..].iter().product();
                prop_assert_eq!(span.length, span.rows * inner);
                prop_assert!(span.length <= PIECE && span.rows > 0);
                next += span.length;
            }
            prop_assert_eq!(next, elements);
        }
    }

    #[test]
    fn long_rows_are_cut_too() {
        let spans = spans(&[3, PIECE + 5]);
        assert_eq!(spans.len(), 6);
        assert_eq!((spans[1].start, spans[1].length), (PIECE, 5));
    }
}
