//! Transposed convolution against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::ops::ConvTransposeOptions;
use koala_ops::conv_transpose2d;
use proptest::prelude::*;
use support::{agree, made, shaped, tracked};

/// Images, inputs, outputs, height and width; kernel; stride; padding of what is read and of what is written.
#[derive(Clone, Copy, Debug)]
struct Case {
    images: usize,
    channels: [usize; 2],
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
    padding_out: [usize; 2],
}

impl Case {
    fn square(
        images: usize,
        channels: [usize; 2],
        side: usize,
        [kernel, stride, padding]: [usize; 3],
    ) -> Self {
        Self {
            images,
            channels,
            size: [side; 2],
            kernel: [kernel; 2],
            stride: [stride; 2],
            padding: [padding; 2],
            padding_out: [0; 2],
        }
    }

    fn check(&self, wanted: [bool; 3], biased: bool) {
        let [inputs, outputs] = self.channels;
        let shapes = [
            vec![self.images, inputs, self.size[0], self.size[1]],
            vec![inputs, outputs, self.kernel[0], self.kernel[1]],
            vec![outputs],
        ];
        let tensors = made(shapes.iter().zip(wanted).take(2 + usize::from(biased)));
        agree(&tensors, |t| {
            let options = self.options([1, 1], 1);
            let [input, weight] = [0, 1].map(|at| shaped(&t[at], &shapes[at]));
            conv_transpose2d(input, weight, t.get(2).cloned(), options)
        });
    }

    fn options(&self, dilation: [usize; 2], groups: usize) -> ConvTransposeOptions<2> {
        ConvTransposeOptions::new(
            self.stride,
            self.padding,
            self.padding_out,
            dilation,
            groups,
        )
    }
}

prop_compose! {
    fn cases()(
        images in 1usize..5, channels in [1usize..7, 1usize..7], kernel in [1usize..5, 1usize..6], size in [1usize..8, 1usize..8],
        stride in [1usize..4, 1usize..4], padding in [0usize..3, 0usize..3], padding_out in [0usize..3, 0usize..3],
    ) -> Case {
        // What is written beyond the last stride is less than one; something is left within the padding.
        let padding_out = [0, 1].map(|axis| padding_out[axis].min(stride[axis] - 1));
        let padding = [0, 1].map(|axis| {
            let reached = (size[axis] - 1) * stride[axis] + kernel[axis] + padding_out[axis];
            padding[axis].min((reached - 1) / 2)
        });
        Case { images, channels, size, kernel, stride, padding, padding_out }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_burns(case in cases(), wanted in [any::<bool>(), any::<bool>(), any::<bool>()], biased: bool) {
        case.check(wanted, biased);
    }
}

#[test]
fn layers_of_networks_agree() {
    let all = [true; 3];
    // DCGAN's, first and further.
    Case::square(5, [24, 32], 1, [4, 1, 0]).check(all, false);
    Case::square(4, [32, 16], 4, [4, 2, 1]).check(all, false);
    Case::square(4, [16, 3], 16, [4, 2, 1]).check(all, true);
    // By minimal filtering, and pointwise.
    Case::square(3, [20, 33], 9, [3, 1, 1]).check(all, true);
    Case::square(3, [20, 33], 9, [1, 1, 0]).check(all, false);
    Case {
        padding_out: [1, 1],
        ..Case::square(3, [20, 18], 9, [3, 2, 1])
    }
    .check(all, false);
}

#[test]
fn groups_dilation_and_wide_padding_are_burns() {
    let case = Case::square(2, [4, 6], 5, [3, 2, 1]);
    agree(&[tracked(&[2, 4, 5, 5]), tracked(&[4, 3, 3, 3])], |t| {
        let [input, weight] = [shaped(&t[0], &[2, 4, 5, 5]), shaped(&t[1], &[4, 3, 3, 3])];
        conv_transpose2d(input, weight, None, case.options([1, 1], 2))
    });
    agree(&[tracked(&[2, 4, 5, 5]), tracked(&[4, 6, 3, 3])], |t| {
        let [input, weight] = [shaped(&t[0], &[2, 4, 5, 5]), shaped(&t[1], &[4, 6, 3, 3])];
        conv_transpose2d(input, weight, None, case.options([2, 1], 1))
    });
}

#[test]
fn tensors_of_any_order_of_axes_are_taken() {
    let case = Case::square(2, [3, 5], 6, [3, 2, 1]);
    agree(&[tracked(&[2, 6, 6, 4]), tracked(&[3, 3, 5, 3])], |t| {
        let input = shaped(&t[0], &[2, 6, 6, 4])
            .permute([0, 3, 1, 2])
            .narrow(1, 1, 3);
        let weight = shaped(&t[1], &[3, 3, 5, 3]).permute([0, 2, 1, 3]);
        let results = conv_transpose2d(input, weight, None, case.options([1, 1], 1));
        results.permute([2, 3, 0, 1])
    });
}
