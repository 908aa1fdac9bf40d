//! The vectors that a method keeps beside the parameters.

use burn::tensor::DType;
use burn::{Tensor, tensor::TensorData};

use crate::take::Seen;
use crate::values::{Values, placed};

/// The vectors of one parameter, flat, in the order of [`MemoryKind::names`](koala_filter::MemoryKind::names).
pub(crate) type Vectors = Vec<Values>;

/// Zeros for a parameter of `elements` elements.
pub(crate) fn zeros(vectors: usize, elements: usize, parameter: &Seen) -> Vectors {
    (0..vectors)
        .map(|_| {
            let zeros = Tensor::zeros(
                [elements],
                (&parameter.device, DType::from(parameter.working)),
            );
            Values::Any(zeros).into_kind_of(&parameter.values)
        })
        .collect()
}

/// Brings vectors to where the parameter is now, and into the form in which it is worked on.
pub(crate) fn follow(vectors: &mut Vectors, elements: usize, parameter: &Seen) {
    for vector in vectors {
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
