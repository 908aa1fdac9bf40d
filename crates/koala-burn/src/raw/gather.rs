//! Gradients as contiguous pieces. Those of convolutions come in another order of axes than their parameters; a piece
//! of them is gathered into scratch memory that fits a core's cache, read in the order in which it lies in memory.

use burn::backend::flex::FlexTensor;

use super::spans::{MAX_RANK, Span};

/// A gradient whose pieces can be had as slices.
pub(super) struct Gradient<'a> {
    storage: &'a [f32],
    offset: isize,
    shape: &'a [usize],
    strides: &'a [isize],
    contiguous: bool,
}

/// One axis of a gather: its size, and the strides in the source and in the piece.
type Axis = (usize, isize, usize);

/// Makes a tensor of too many axes contiguous; others are taken as they are.
pub(super) fn gatherable(tensor: FlexTensor) -> FlexTensor {
    if tensor.layout().num_dims() > MAX_RANK {
        tensor.to_contiguous()
    } else {
        tensor
    }
}

impl<'a> Gradient<'a> {
    pub fn new(tensor: &'a FlexTensor) -> Self {
        let layout = tensor.layout();
        Self {
            storage: tensor.storage(),
            offset: layout.start_offset() as isize,
            shape: layout.shape(),
            strides: layout.strides(),
            contiguous: layout.is_contiguous(),
        }
    }

    /// The elements of a piece, in row-major order.
    pub fn piece<'s>(&self, span: &Span, scratch: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        if self.contiguous {
            let start = self.offset as usize + span.start;
            return &self.storage[start..start + span.length];
        }
        let mut axes: [Axis; MAX_RANK] = [(1, 0, 0); MAX_RANK];
        let count = self.axes(span, &mut axes);
        if scratch.len() < span.length {
            scratch.resize(span.length, 0.0);
        }
        gather(
            &mut scratch[..span.length],
            0,
            self.storage,
            self.first(span),
            &axes[..count],
        );
        &scratch[..span.length]
    }

    /// Where in the storage the piece's first element is.
    fn first(&self, span: &Span) -> isize {
        let mut rest = span.start;
        let mut offset = self.offset;
        for (&size, &stride) in self.shape.iter().zip(self.strides).rev() {
            offset += (rest % size) as isize * stride;
            rest /= size;
        }
        offset
    }

    /// The piece's axes, those that can be walked as one joined, the one with the largest source stride first.
    fn axes(&self, span: &Span, axes: &mut [Axis; MAX_RANK]) -> usize {
        let mut count = 0_usize;
        let mut inner = span.length;
        for axis in span.axis..self.shape.len() {
            let size = if axis == span.axis {
                span.rows
            } else {
                self.shape[axis]
            };
            inner /= size;
            if size == 1 {
                continue;
            }
            let stride = self.strides[axis];
            match count.checked_sub(1).map(|last| &mut axes[last]) {
                Some(last) if last.1 == stride * size as isize => {
                    *last = (last.0 * size, stride, inner);
                }
                _ => {
                    axes[count] = (size, stride, inner);
                    count += 1;
                }
            }
        }
        axes[..count].sort_unstable_by_key(|axis| std::cmp::Reverse(axis.1.unsigned_abs()));
        count
    }
}

fn gather(into: &mut [f32], to: usize, source: &[f32], from: isize, axes: &[Axis]) {
    match *axes {
        [] => into[to] = source[from as usize],
        [(size, 1, 1)] => run(into, to, source, from, size),
        [(size, stride, step)] => {
            for index in 0..size {
                into[to + index * step] = source[(from + index as isize * stride) as usize];
            }
        }
        [outer, (size, 1, 1)] => runs(into, to, source, from, outer, size),
        [(size, stride, step), ..] => {
            for index in 0..size {
                let from = from + index as isize * stride;
                gather(into, to + index * step, source, from, &axes[1..]);
            }
        }
    }
}

fn run(into: &mut [f32], to: usize, source: &[f32], from: isize, length: usize) {
    let from = from as usize;
    into[to..to + length].copy_from_slice(&source[from..from + length]);
}

/// Many short runs: those of the usual kernel sizes are copied without a call each.
fn runs(into: &mut [f32], to: usize, source: &[f32], from: isize, outer: Axis, length: usize) {
    match length {
        3 => fixed_runs::<3>(into, to, source, from, outer),
        5 => fixed_runs::<5>(into, to, source, from, outer),
        7 => fixed_runs::<7>(into, to, source, from, outer),
        9 => fixed_runs::<9>(into, to, source, from, outer),
        25 => fixed_runs::<25>(into, to, source, from, outer),
        49 => fixed_runs::<49>(into, to, source, from, outer),
        _ => {
            let (size, stride, step) = outer;
            for index in 0..size {
                let from = from + index as isize * stride;
                run(into, to + index * step, source, from, length);
            }
        }
    }
}

fn fixed_runs<const LENGTH: usize>(
    into: &mut [f32],
    to: usize,
    source: &[f32],
    from: isize,
    (size, stride, step): Axis,
) {
    for index in 0..size {
        let from = (from + index as isize * stride) as usize;
        let to = to + index * step;
        into[to..to + LENGTH].copy_from_slice(&source[from..from + LENGTH]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::spans::spans;
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::{Device, Int, Tensor};
    use proptest::prelude::*;

    /// Gathered pieces, one after the other, are the tensor's elements in row-major order.
    fn check<const D: usize>(tensor: Tensor<D>) {
        let expected: Vec<f32> = tensor.clone().into_data().try_to_vec().unwrap();
        let shape = tensor.dims();
        let tensor = gatherable(tensor.try_into_primitive::<Flex>().unwrap());
        let gradient = Gradient::new(&tensor);
        let mut scratch = Vec::new();
        let mut found = Vec::new();
        for span in spans(&shape) {
            found.extend_from_slice(gradient.piece(&span, &mut scratch));
        }
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn gathers_views_of_any_order(
            sizes in [1usize..60, 1..50, 1..12, 1..8],
            from in 0.0..0.5_f64,
            order in Just([0, 1, 2, 3]).prop_shuffle(),
            flipped in 0..4_usize,
        ) {
            let tensor = numbered(sizes.iter().product()).reshape(sizes);
            let parts = sizes.map(|size| (from * size as f64) as usize..size);
            let order = order.map(|axis: usize| axis as isize);
            check(tensor.clone().slice(parts).permute(order));
            check(tensor.flip([flipped]).permute(order));
        }
    }

    fn numbered(elements: usize) -> Tensor<1> {
        Tensor::<1, Int>::arange(0..elements as i64, &Device::flex()).float()
    }

    #[test]
    fn gathers_every_layout() {
        check(numbered(70_000));
        check(
            numbered(7 * 5 * 9 * 64)
                .reshape([64, 35, 3, 3])
                .swap_dims(0, 1),
        );
        check(
            numbered(128 * 96 * 9)
                .reshape([128, 96, 3, 3])
                .swap_dims(0, 1),
        );
        check(numbered(300 * 500).reshape([300, 500]).transpose());
        check(
            numbered(48 * 40 * 25)
                .reshape([48, 25, 40])
                .permute([2, 0, 1]),
        );
        check(
            numbered(24 * 30 * 49)
                .reshape([24, 30, 7, 7])
                .permute([1, 0, 3, 2]),
        );
        check(numbered(1000).reshape([10, 100]).slice([2..7, 10..33]));
        check(numbered(1000).reshape([10, 100]).flip([0]));
        check(numbered(1000).reshape([10, 100]).flip([0, 1]).transpose());
        check(numbered(40).reshape([1, 40]).expand([30, 40]));
        check(
            numbered(1 << 9)
                .reshape([2; 9])
                .permute([8, 1, 2, 3, 4, 5, 6, 7, 0]),
        );
    }
}
