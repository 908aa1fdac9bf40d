//! Convolution against Burn's.

#![allow(clippy::unwrap_used)]

mod support;

use burn::tensor::ops::ConvOptions;
use koala_ops::conv2d;
use proptest::prelude::*;
use support::{agree, made, shaped, tracked};

/// Images, inputs, outputs, height and width; kernel; stride; padding before and after.
#[derive(Clone, Copy, Debug)]
struct Case {
    images: usize,
    channels: [usize; 2],
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [(usize, usize); 2],
}

impl Case {
    /// A square one, of a stride and a padding.
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
            padding: [(padding, padding); 2],
        }
    }

    fn shapes(&self) -> [Vec<usize>; 3] {
        let [inputs, outputs] = self.channels;
        [
            vec![self.images, inputs, self.size[0], self.size[1]],
            vec![outputs, inputs, self.kernel[0], self.kernel[1]],
            vec![outputs],
        ]
    }

    fn check(&self, wanted: [bool; 3], biased: bool) {
        let shapes = self.shapes();
        let tensors = made(shapes.iter().zip(wanted).take(2 + usize::from(biased)));
        agree(&tensors, |t| {
            conv2d(
                shaped(&t[0], &shapes[0]),
                shaped(&t[1], &shapes[1]),
                t.get(2).cloned(),
                self.options([1, 1], 1),
            )
        });
    }

    fn options(&self, dilation: [usize; 2], groups: usize) -> ConvOptions<2> {
        ConvOptions::new_with_padding(self.stride, self.padding, dilation, groups)
    }
}

prop_compose! {
    /// Kernels up to 5 wide, on images that they may be wider than without padding.
    fn cases()(
        images in 1usize..5, channels in [1usize..7, 1usize..7], kernel in [1usize..5, 1usize..6],
        extra in [0usize..9, 0usize..9], stride in [1usize..4, 1usize..4],
        padding in [(0usize..3, 0usize..3), (0usize..3, 0usize..3)],
    ) -> Case {
        let size = [0, 1].map(|axis| {
            let (before, after) = padding[axis];
            (kernel[axis] + extra[axis]).saturating_sub(before + after).max(1)
        });
        // No padding may be as wide as the kernel: such outputs meet zeros alone, which is a case of its own.
        Case { images, channels, size, kernel, stride, padding }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_burns(case in cases(), wanted in [any::<bool>(), any::<bool>(), any::<bool>()], biased: bool) {
        case.check(wanted, biased);
    }
}

prop_compose! {
    /// What minimal filtering takes, odd sizes and any padding of its kernel among them.
    fn cases_of_many_channels()(
        images in 1usize..9, channels in [16usize..41, 16usize..41], size in [3usize..24, 3usize..24],
        padding in [(0usize..3, 0usize..3), (0usize..3, 0usize..3)],
    ) -> Case {
        Case { images, channels, size, kernel: [3, 3], stride: [1, 1], padding }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn many_channels_agree_with_burns(
        case in cases_of_many_channels(), wanted in [any::<bool>(), any::<bool>(), any::<bool>()],
    ) {
        case.check(wanted, false);
    }
}

#[test]
fn layers_of_networks_agree() {
    let all = [true; 3];
    // Few images of many pixels, in tiles of rows; many of few, in groups.
    Case::square(3, [3, 16], 32, [3, 1, 1]).check(all, false);
    Case::square(2, [16, 16], 32, [3, 1, 1]).check(all, true);
    // So many that sums are taken up more than once: in parts of the images, and of weights that are too many for parts.
    Case::square(32, [16, 16], 32, [3, 1, 1]).check(all, false);
    Case::square(5, [128, 128], 16, [3, 1, 1]).check(all, false);
    Case::square(3, [64, 64], 32, [3, 1, 1]).check(all, false);
    Case::square(32, [130, 257], 4, [3, 1, 1]).check(all, false);
    Case::square(1, [16, 20], 96, [3, 1, 1]).check(all, false);
    Case::square(1, [16, 20], 98, [3, 1, 1]).check(all, false);
    Case::square(5, [20, 33], 17, [3, 2, 1]).check(all, false);
    Case::square(9, [32, 64], 8, [3, 2, 1]).check(all, false);
    Case::square(19, [24, 40], 4, [3, 1, 1]).check(all, false);
    Case::square(3, [20, 50], 9, [1, 1, 0]).check(all, true);
    Case::square(3, [20, 50], 9, [1, 2, 0]).check(all, false);
    Case::square(4, [6, 8], 16, [4, 2, 1]).check(all, true);
    Case::square(4, [8, 1], 4, [4, 1, 0]).check(all, false);
    Case::square(2, [2, 3], 90, [5, 1, 2]).check(all, true);
}

#[test]
fn groups_and_dilation_are_burns() {
    let case = Case::square(2, [4, 6], 9, [3, 1, 1]);
    agree(&[tracked(&[2, 4, 9, 9]), tracked(&[6, 2, 3, 3])], |t| {
        conv2d(
            shaped(&t[0], &[2, 4, 9, 9]),
            shaped(&t[1], &[6, 2, 3, 3]),
            None,
            case.options([1, 1], 2),
        )
    });
    agree(&[tracked(&[2, 4, 9, 9]), tracked(&[6, 4, 3, 3])], |t| {
        conv2d(
            shaped(&t[0], &[2, 4, 9, 9]),
            shaped(&t[1], &[6, 4, 3, 3]),
            None,
            case.options([2, 1], 1),
        )
    });
}

#[test]
fn tensors_of_any_order_of_axes_are_taken() {
    let case = Case::square(2, [3, 5], 6, [3, 1, 1]);
    agree(&[tracked(&[2, 6, 6, 4]), tracked(&[3, 3, 3, 5])], |t| {
        let input = shaped(&t[0], &[2, 6, 6, 4])
            .permute([0, 3, 1, 2])
            .narrow(1, 1, 3);
        let weight = shaped(&t[1], &[3, 3, 3, 5]).permute([3, 0, 1, 2]);
        let results = conv2d(input, weight, None, case.options([1, 1], 1));
        results.permute([2, 3, 0, 1])
    });
}
