//! Mean and standard deviation.

/// The mean of finite values; nothing if there are none.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let rough = values.iter().sum::<f64>() / n;
    // The second pass takes away the first's rounding, so that equal values have themselves as their mean.
    Some(rough + values.iter().map(|value| value - rough).sum::<f64>() / n)
}

/// The sample's standard deviation, n - 1 below; nothing below two values.
pub(super) fn deviation(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some((squares / (values.len() - 1) as f64).sqrt())
}
