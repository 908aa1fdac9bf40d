//! The vectors that a method keeps beside the parameters.

use burn::Tensor;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, TensorData};
use koala_filter::{MemoryKind, SLOTS};

use crate::take::Seen;
use crate::values::{Values, placed};

/// The vectors of one parameter, flat, by the [slots](MemoryKind::slots) of the method's kind.
pub(crate) type Vectors = [Option<Values>; SLOTS];

/// Zeros for a parameter of `elements` elements.
pub(crate) fn zeros(kind: MemoryKind, elements: usize, parameter: &Seen) -> Vectors {
    kind.slots().map(|name| {
        name.map(|_| {
            let zeros = Tensor::zeros(
                [elements],
                (&parameter.device, DType::from(parameter.working)),
            );
            Values::Any(zeros).into_kind_of(&parameter.values)
        })
    })
}

/// Brings vectors to where the parameter is now, and into the form in which it is worked on.
pub(crate) fn follow(vectors: &mut Vectors, elements: usize, parameter: &Seen) {
    for vector in vectors.iter_mut().flatten() {
        if matches!(
            (&*vector, &parameter.values),
            (Values::Flex(_), Values::Flex(_))
        ) {
            continue;
        }
        let held = std::mem::replace(vector, Values::Any(Tensor::empty([1], &parameter.device)));
        let tensor = placed(
            held.into_tensor([elements]),
            &parameter.device,
            parameter.working,
        );
        *vector = Values::Any(tensor).into_kind_of(&parameter.values);
    }
}

/// Handles on the vectors as flex memory, to be read.
pub(crate) fn flex(vectors: &Vectors) -> [Option<FlexTensor>; SLOTS] {
    vectors
        .each_ref()
        .map(|vector| vector.as_ref().and_then(Values::as_flex))
}

/// The vectors as flex memory, to be written to.
pub(crate) fn flex_mut(vectors: &mut Vectors) -> [Option<&mut FlexTensor>; SLOTS] {
    vectors
        .each_mut()
        .map(|vector| vector.as_mut().and_then(Values::as_flex_mut))
}

/// The vectors as flat tensors.
pub(crate) fn tensors(vectors: &Vectors) -> [Option<Tensor<1>>; SLOTS] {
    vectors
        .each_ref()
        .map(|vector| vector.as_ref().and_then(Values::as_any))
}

/// A vector from stored numbers of the parameter's working type.
pub(crate) fn from_data(data: TensorData, parameter: &Seen) -> Values {
    let dtype = DType::from(parameter.working);
    Values::Any(Tensor::from_data(data, (&parameter.device, dtype))).into_kind_of(&parameter.values)
}

/// The numbers of a vector.
pub(crate) fn data(vector: &Values, elements: usize) -> Result<TensorData, String> {
    vector
        .clone()
        .into_tensor([elements])
        .try_into_data()
        .map_err(|error| error.to_string())
}
