//! Gradient clipping by the norm of all gradients together, for any optimizer.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, Tensor};

use crate::error::{Error, Result};
use crate::generic::{ROW, sum_by};
use crate::gradients;
use crate::values::on_flex;

/// What [`clip_by_global_norm`] found and did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clipped {
    /// Norm of all gradients together, as they were; not finite if one of them is not.
    pub norm: f64,
    /// What they were multiplied by; 1 if they were left as they are.
    pub factor: f64,
}

/// Scales all gradients by min(1, limit / (norm + 1e-6)), where norm is that of all of them together, as
/// `torch.nn.utils.clip_grad_norm_`; Burn's own clipping takes each tensor alone. A tied parameter's gradient counts once.
///
/// For SGD, Adam and the like. KOALA needs gradients that belong to its losses: give it
/// [`with_max_update_norm`](crate::KoalaAConfig::with_max_update_norm) instead.
///
/// Gradients that are not finite are left as they are: the optimizer's step then shows it.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::optim::{GradientsParams, SgdConfig};
/// use burn::tensor::{Device, Tensor};
/// use koala_burn::clip_by_global_norm;
///
/// let device = Device::flex().autodiff();
/// let model = LinearConfig::new(2, 1).init(&device);
/// let loss = model.forward(Tensor::<2>::from_data([[300.0, 400.0]], &device)).sum();
/// let mut gradients = GradientsParams::from_grads(loss.backward(), &model);
/// let clipped = clip_by_global_norm(&model, &mut gradients, 1.0)?;
/// assert!(clipped.norm > 500.0 && clipped.factor < 0.002);
/// let model = SgdConfig::new().init().step(0.1, model, gradients);
/// # Ok::<(), koala_burn::Error>(())
/// ```
///
/// # Errors
/// [`Error::ClipLimit`] if the limit is negative or not a number; [`Error::ReadBack`]. Nothing has changed then.
pub fn clip_by_global_norm<M: Module>(
    model: &M,
    gradients: &mut GradientsParams,
    limit: f64,
) -> Result<Clipped> {
    // Also false if it is not a number.
    let valid = limit >= 0.0;
    if !valid {
        return Err(Error::ClipLimit { limit });
    }
    let norm = global_norm(model, gradients)?;
    let factor = limit / (norm + 1e-6);
    if !norm.is_finite() || factor >= 1.0 {
        return Ok(Clipped { norm, factor: 1.0 });
    }
    gradients::scale(model, gradients, factor);
    Ok(Clipped { norm, factor })
}

fn global_norm<M: Module>(model: &M, gradients: &GradientsParams) -> Result<f64> {
    let squares = reduced(model, gradients, &|g| sum(g.square()))?;
    let norm = squares.iter().sum::<f64>().sqrt();
    if !norm.is_infinite() {
        return Ok(norm);
    }
    // Their squares may be too large for single precision where they themselves are not.
    let largest = reduced(model, gradients, &|g| g.abs().max())?;
    let largest = largest.into_iter().fold(0.0, f64::max);
    if !largest.is_finite() {
        return Ok(norm);
    }
    let unit = largest as f32;
    let squares = reduced(model, gradients, &|g| sum(g.div_scalar(unit).square()))?;
    Ok(largest * squares.iter().sum::<f64>().sqrt())
}

/// On flex, gradients of fewer elements than this are summed in one row, as flex's own `sum` does it: runs keep the bits that they have
/// always had. Larger ones that shares out among threads, and its bits depend on these.
const ROWS_FROM: usize = 1 << 22;

fn sum(terms: Tensor<1>) -> Tensor<1> {
    let elements = terms.dims()[0];
    match on_flex(&terms) && elements < ROWS_FROM {
        true => sum_by(elements, terms),
        false => sum_by(ROW, terms),
    }
}

/// One number a gradient, read back at once.
fn reduced<M: Module>(
    model: &M,
    gradients: &GradientsParams,
    reduce: &dyn Fn(Tensor<1>) -> Tensor<1>,
) -> Result<Vec<f64>> {
    let mut reducer = Reducer {
        gradients,
        reduce,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    model.visit(&mut reducer);
    if reducer.found.is_empty() {
        return Ok(Vec::new());
    }
    let data = Tensor::cat(reducer.found, 0)
        .try_into_data()
        .map_err(|error| Error::ReadBack {
            reason: error.to_string(),
        })?;
    Ok(data.iter::<f64>().collect())
}

struct Reducer<'a> {
    gradients: &'a GradientsParams,
    reduce: &'a dyn Fn(Tensor<1>) -> Tensor<1>,
    seen: HashSet<ParamId>,
    found: Vec<Tensor<1>>,
}

impl ModuleVisitor for Reducer<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.seen.insert(param.id) {
            return;
        }
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let elements = gradient.shape().num_elements();
            let flat = gradient.reshape([elements]).cast(FloatDType::F32);
            if elements > 0 {
                self.found.push((self.reduce)(flat));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    fn model() -> Linear {
        LinearConfig::new(2, 3).init(&Device::flex().autodiff())
    }

    /// The clipped values of a weight's six and a bias's three gradients, and the factor.
    fn clipped(values: &[f32; 9], limit: f64) -> (Vec<f32>, f64) {
        let model = model();
        let device = Device::flex();
        let bias = model.bias.as_ref().unwrap().id;
        let mut gradients = GradientsParams::new();
        let weight = TensorData::new(values[..6].to_vec(), [2, 3]);
        gradients.register(model.weight.id, Tensor::<2>::from_data(weight, &device));
        let values = TensorData::new(values[6..].to_vec(), [3]);
        gradients.register(bias, Tensor::<1>::from_data(values, &device));
        let Clipped { factor, .. } = clip_by_global_norm(&model, &mut gradients, limit).unwrap();
        let weight = gradients.get::<2>(model.weight.id).unwrap().into_data();
        let bias = gradients.get::<1>(bias).unwrap().into_data();
        let mut found: Vec<f32> = weight.try_into_vec().unwrap();
        found.extend(bias.try_into_vec::<f32>().unwrap());
        (found, factor)
    }

    proptest! {
        #[test]
        fn it_is_the_formula(
            values in proptest::array::uniform9(-10.0f32..10.0),
            scale in -12..18i32,
            limit in 1e-3..1e3f64,
        ) {
            let values = values.map(|v| v * 10f32.powi(scale));
            let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            let expected = (limit / (norm + 1e-6)).min(1.0);
            let (found, factor) = clipped(&values, limit);
            prop_assert!((factor - expected).abs() <= 1e-5 * expected, "{factor} {expected}");
            for (found, value) in found.iter().zip(values) {
                let expected = f64::from(value) * expected;
                let allowed = 1e-5 * expected.abs() + f64::from(f32::MIN_POSITIVE);
                prop_assert!((f64::from(*found) - expected).abs() <= allowed);
            }
            let after = found.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            prop_assert!(after <= limit * (1.0 + 1e-5));
        }
    }

    /// Large enough that flex's own `sum` would share it among threads.
    #[test]
    fn the_number_of_threads_changes_no_bit_of_the_norm() {
        let uneven = |at: u32| at.wrapping_mul(2_654_435_761) as f32 / u32::MAX as f32;
        let elements = 6_000_000;
        let values: Vec<f32> = (0..elements)
            .map(|at| uneven(at) * 1e3_f32.powf(uneven(at / 65_536 * 7 + 1)))
            .collect();
        let model = model();
        let device = Device::flex();
        let norm = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let mut gradients = GradientsParams::new();
                let data = TensorData::new(values.clone(), [2, elements as usize / 2]);
                gradients.register(model.weight.id, Tensor::<2>::from_data(data, &device));
                let limit = f64::INFINITY;
                clip_by_global_norm(&model, &mut gradients, limit)
                    .unwrap()
                    .norm
            })
        };
        let exact = values
            .iter()
            .map(|v| f64::from(*v).powi(2))
            .sum::<f64>()
            .sqrt();
        let one = norm(1);
        assert!((one - exact).abs() < 1e-5 * exact, "{one} {exact}");
        for threads in [2, 5] {
            assert_eq!(norm(threads).to_bits(), one.to_bits(), "{threads}");
        }
    }

    #[test]
    fn norms_of_all_but_large_gradients_have_the_bits_of_burns_sum() {
        for elements in [1, 7, 1_023, 70_001, ROWS_FROM - 1] {
            let values: Vec<f32> = (0..elements).map(|at| (at as f32).sin() + 0.1).collect();
            let tensor =
                Tensor::<1>::from_data(TensorData::new(values, [elements]), &Device::flex());
            let bits = |sum: Tensor<1>| sum.into_scalar::<f32>().to_bits();
            assert_eq!(bits(sum(tensor.clone())), bits(tensor.sum()), "{elements}");
        }
    }

    #[test]
    fn short_gradients_are_left_to_the_bit() {
        let values = [0.1, -0.2, 0.3, 1e-40, 0.0, -0.0, 0.5, 1e-8, -0.7];
        assert_eq!(clipped(&values, 1.0), (values.to_vec(), 1.0));
        assert_eq!(clipped(&[0.0; 9], 1e-3), (vec![0.0; 9], 1.0));
    }

    #[test]
    fn large_gradients_do_not_overflow() {
        let (found, _) = clipped(&[3e30, 0.0, 0.0, 0.0, 0.0, 0.0, 4e30, 0.0, 0.0], 10.0);
        assert!(
            (found[0] - 6.0).abs() < 1e-5 && (found[6] - 8.0).abs() < 1e-5,
            "{found:?}"
        );
    }

    #[test]
    fn gradients_that_are_not_finite_are_left_alone() {
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut values = [1e3f32; 9];
            values[4] = odd;
            let (found, factor) = clipped(&values, 1.0);
            assert_eq!(factor, 1.0);
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&found), bits(&values));
        }
    }

    #[test]
    fn limits_that_cannot_be_are_refused() {
        let model = model();
        for limit in [-1.0, f64::NAN, f64::NEG_INFINITY] {
            let mut gradients = GradientsParams::new();
            let error = clip_by_global_norm(&model, &mut gradients, limit).unwrap_err();
            assert!(error.to_string().contains("infinity"), "{error}");
        }
        assert_eq!(clipped(&[2.0; 9], f64::INFINITY), (vec![2.0; 9], 1.0));
        assert_eq!(clipped(&[2.0; 9], 0.0), (vec![0.0; 9], 0.0));
    }
}
