//! Sizes of a convolution of two dimensions.

use burn::tensor::ops::ConvOptions;

/// Sizes of a convolution: how many of what, and which pixels meet which weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub images: usize,
    /// Channels that are read.
    pub inputs: usize,
    /// Channels that are written.
    pub outputs: usize,
    /// Height and width that are read.
    pub size: [usize; 2],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Zeros above and to the left.
    pub padding: [usize; 2],
    /// Height and width that are written.
    pub out: [usize; 2],
}

impl Geometry {
    /// Of tensors `[images, inputs, height, width]` and `[outputs, inputs, height, width]`; `None` if they do not fit, or if the
    /// convolution has groups or is dilated.
    pub fn new(input: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) -> Option<Self> {
        let [images, inputs, height, width] = input;
        let [outputs, weight_inputs, kernel_height, kernel_width] = weight;
        let kernel = [kernel_height, kernel_width];
        let whole = inputs == weight_inputs && options.groups == 1 && options.dilation == [1, 1];
        if !whole || kernel.contains(&0) || options.stride.contains(&0) {
            return None;
        }
        let size = [height, width];
        let mut out = [0; 2];
        for axis in 0..2 {
            let (before, after) = options.padding[axis];
            let room = (size[axis] + before + after).checked_sub(kernel[axis])?;
            out[axis] = room / options.stride[axis] + 1;
        }
        Some(Self {
            images,
            inputs,
            outputs,
            size,
            kernel,
            stride: options.stride,
            padding: options.padding.map(|(before, _)| before),
            out,
        })
    }

    /// Weights of one output.
    pub fn taps(&self) -> usize {
        self.inputs * self.kernel[0] * self.kernel[1]
    }

    /// Elements of one channel that is read.
    pub fn input_pixels(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Elements of one channel that is written.
    pub fn output_pixels(&self) -> usize {
        self.out[0] * self.out[1]
    }

    /// Elements of an image that is read.
    pub fn input_elements(&self) -> usize {
        self.inputs * self.input_pixels()
    }

    /// Elements of an image that is written.
    pub fn output_elements(&self) -> usize {
        self.outputs * self.output_pixels()
    }

    /// Zeros below and to the right that meet a weight, with a stride of 1.
    pub fn padding_after(&self) -> [usize; 2] {
        [0, 1].map(|axis| {
            let reached = self.out[axis] + self.kernel[axis] - 1;
            reached.saturating_sub(self.size[axis] + self.padding[axis])
        })
    }

    /// The convolution of stride 1 whose results are the gradient of this one's images, where no padding is as wide as the kernel.
    pub fn transposed(&self) -> Self {
        Self {
            inputs: self.outputs,
            outputs: self.inputs,
            size: self.out,
            out: self.size,
            padding: self.beyond(self.padding),
            ..*self
        }
    }

    /// How far a kernel reaches beyond a padding.
    pub fn beyond(&self, padding: [usize; 2]) -> [usize; 2] {
        [0, 1].map(|axis| self.kernel[axis] - 1 - padding[axis])
    }

    pub fn weights(&self) -> usize {
        self.outputs * self.taps()
    }

    /// Whether nothing is to be computed.
    pub fn is_empty(&self) -> bool {
        self.images * self.outputs * self.output_pixels() * self.taps() == 0
    }

    /// Whether each output is of one pixel, in the same place.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.size == self.out
    }
}
