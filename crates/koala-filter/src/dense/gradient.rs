//! What gradients are given as.

/// A gradient of one parameter, or that there is none: a slice, an array, a `Vec`, a reference to one of these, or an
/// `Option` of any of them.
///
/// ```
/// use koala_filter::{KoalaAConfig, Observation, dense::Koala};
///
/// let (mut x, observation) = ([1.0f32, 2.0], Observation::from_mean(1.0));
/// let mut optimizer = Koala::new(KoalaAConfig::new(), &[2])?;
/// optimizer.predict(&mut [&mut x])?;
/// optimizer.update(&mut [&mut x], &[vec![0.5, -0.5]], &observation)?;
/// optimizer.predict(&mut [&mut x])?;
/// optimizer.update(&mut [&mut x], &[None::<&[f32]>], &observation)?; // none in this step
/// # Ok::<(), koala_filter::Error>(())
/// ```
pub trait Gradient<F> {
    /// Its values; nothing if there are none.
    fn values(&self) -> Option<&[F]>;
}

impl<F> Gradient<F> for [F] {
    fn values(&self) -> Option<&[F]> {
        Some(self)
    }
}

impl<F, const N: usize> Gradient<F> for [F; N] {
    fn values(&self) -> Option<&[F]> {
        Some(self)
    }
}

impl<F> Gradient<F> for Vec<F> {
    fn values(&self) -> Option<&[F]> {
        Some(self)
    }
}

impl<F, G: Gradient<F> + ?Sized> Gradient<F> for &G {
    fn values(&self) -> Option<&[F]> {
        (**self).values()
    }
}

impl<F, G: Gradient<F>> Gradient<F> for Option<G> {
    fn values(&self) -> Option<&[F]> {
        self.as_ref().and_then(G::values)
    }
}
