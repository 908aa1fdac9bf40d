//! What is summed: products of the numbers of each element, in whole vectors. Each is a loop of its own, which the compiler sees as one of
//! vectors whatever stands beside it.

use crate::dense::real::Real;

/// K products of the numbers of an element, which stand in N rows.
pub(super) trait Terms<F, const N: usize, const K: usize> {
    /// Adds those of L elements to L sums of each.
    fn add<const L: usize>(&self, rows: [&[F; L]; N], sums: &mut [[f64; L]; K]);
}

/// How products are added.
#[derive(Clone, Copy)]
pub(super) struct Adding {
    /// Whether the processor multiplies and adds at once.
    pub fused: bool,
}

impl Adding {
    /// `sums + a b` in f64, with the same bits if `fused`.
    #[inline(always)]
    pub fn add<F: Real, const L: usize>(self, sums: &mut [f64; L], a: &[F; L], b: &[F; L]) {
        for lane in 0..L {
            let (a, b) = (a[lane].to_f64(), b[lane].to_f64());
            sums[lane] = if self.fused && F::EXACT_PRODUCTS {
                a.mul_add(b, sums[lane])
            } else {
                sums[lane] + a * b
            };
        }
    }
}

/// h = g + w x.
#[inline(always)]
fn decayed<F: Real, const L: usize>(w: F, x: &[F; L], g: &[F; L]) -> [F; L] {
    let mut h = *g;
    for lane in 0..L {
        h[lane] = g[lane] + w * x[lane];
    }
    h
}

/// a^2.
pub(super) struct Square(pub Adding);

impl<F: Real> Terms<F, 1, 1> for Square {
    #[inline(always)]
    fn add<const L: usize>(&self, [a]: [&[F; L]; 1], [squared]: &mut [[f64; L]; 1]) {
        self.0.add(squared, a, a);
    }
}

/// (a - x)^2, of x and a.
pub(super) struct SquaredDistance(pub Adding);

impl<F: Real> Terms<F, 2, 1> for SquaredDistance {
    #[inline(always)]
    fn add<const L: usize>(&self, [x, a]: [&[F; L]; 2], [squared]: &mut [[f64; L]; 1]) {
        let mut difference = *a;
        for lane in 0..L {
            difference[lane] = a[lane] - x[lane];
        }
        self.0.add(squared, &difference, &difference);
    }
}

/// g^2, h^2 and x^2, of x and g, with w.
pub(super) struct Squares<F>(pub Adding, pub F);

impl<F: Real> Squares<F> {
    /// Adds them, and gives h.
    #[inline(always)]
    fn add_for_h<const L: usize>(
        &self,
        [x, g]: [&[F; L]; 2],
        [g2, h2, x2]: [&mut [f64; L]; 3],
    ) -> [F; L] {
        let h = decayed(self.1, x, g);
        self.0.add(g2, g, g);
        self.0.add(h2, &h, &h);
        self.0.add(x2, x, x);
        h
    }
}

impl<F: Real> Terms<F, 2, 3> for Squares<F> {
    #[inline(always)]
    fn add<const L: usize>(&self, rows: [&[F; L]; 2], [g2, h2, x2]: &mut [[f64; L]; 3]) {
        self.add_for_h(rows, [g2, h2, x2]);
    }
}

/// Those, v h and v^2, of x, g and v.
pub(super) struct WithVelocity<F>(pub Squares<F>);

impl<F: Real> Terms<F, 3, 5> for WithVelocity<F> {
    #[inline(always)]
    fn add<const L: usize>(
        &self,
        [x, g, v]: [&[F; L]; 3],
        [g2, h2, x2, vh, vv]: &mut [[f64; L]; 5],
    ) {
        let Squares(adding, _) = &self.0;
        let h = self.0.add_for_h([x, g], [g2, h2, x2]);
        adding.add(vh, v, &h);
        adding.add(vv, v, v);
    }
}

/// Those three, H H', H'^2, H v', H' v' and v'^2, of x, g, v' and H'.
pub(super) struct WithCovariance<F>(pub Squares<F>);

impl<F: Real> Terms<F, 4, 8> for WithCovariance<F> {
    #[inline(always)]
    fn add<const L: usize>(
        &self,
        [x, g, v, p]: [&[F; L]; 4],
        [g2, h2, x2, hp, pp, hv, pv, vv]: &mut [[f64; L]; 8],
    ) {
        let Squares(adding, _) = &self.0;
        let h = self.0.add_for_h([x, g], [g2, h2, x2]);
        adding.add(hp, &h, p);
        adding.add(pp, p, p);
        adding.add(hv, &h, v);
        adding.add(pv, p, v);
        adding.add(vv, v, v);
    }
}
