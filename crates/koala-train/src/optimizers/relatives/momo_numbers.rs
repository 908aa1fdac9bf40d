//! The scalars that MoMo and MoMo-Adam remember, and the length of the step that comes of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::polyak::{Bound, LossModel};
use super::rows::Row;
use super::sums::total;

/// The scalars; `L` is `Option<f64>` where the first step's loss is the first f_bar, else `f64`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::optimizers) struct MomoNumbers<L> {
    pub steps: u64,
    /// f_bar.
    loss: L,
    /// gamma, by parameter.
    gamma: BTreeMap<String, f64>,
    bound: f64,
}

/// What the averages and the length follow.
pub(super) struct Rule {
    /// beta, of f_bar and gamma.
    pub beta: f64,
    /// Whether they start at 0 and are corrected for it; else they start at the first batch's values.
    pub corrected: bool,
    /// w.
    pub weight_decay: f64,
    /// f*.
    pub bound: Bound,
}

impl<L: Copy + From<f64> + Into<Option<f64>>> MomoNumbers<L> {
    pub fn new(loss: L, bound: f64) -> Self {
        Self {
            steps: 0,
            loss,
            gamma: BTreeMap::new(),
            bound,
        }
    }

    /// What is wrong with them.
    pub fn damage(&self) -> Option<String> {
        let loss: Option<f64> = self.loss.into();
        let all = self.gamma.values().chain(&loss);
        let finite = all.chain([&self.bound]).all(|v| v.is_finite());
        (!finite).then(|| "it holds a number that is not finite".to_owned())
    }

    /// Counts a step, averages its loss and its g.x, and gives tau. Of each row `sums` holds g.x, d.x and d.d.
    pub(super) fn step(
        &mut self,
        rows: &[Row],
        sums: &[[f64; 3]],
        loss: f64,
        rate: f64,
        rule: &Rule,
    ) -> f64 {
        let beta = rule.beta;
        let averaged = |old: f64, new: f64| beta * old + (1.0 - beta) * new;
        let first = |value: f64| if rule.corrected { 0.0 } else { value };
        self.steps += 1;
        let mut gamma = 0.0;
        for (row, [product, ..]) in rows.iter().zip(sums) {
            let of_row = self.gamma.entry(row.path.clone());
            let of_row = of_row.or_insert(first(*product));
            *of_row = averaged(*of_row, *product);
            gamma += *of_row;
        }
        let before: Option<f64> = self.loss.into();
        let mean = averaged(before.unwrap_or(first(loss)), loss);
        self.loss = L::from(mean);

        let [_, product, square] = total(sums);
        let model = LossModel {
            loss: mean,
            product,
            gamma,
            square,
            weight: if rule.corrected {
                1.0 - beta.powf(self.steps as f64)
            } else {
                1.0
            },
        };
        let (length, bound) = model.step(rate, rule.weight_decay, self.bound, rule.bound);
        self.bound = bound;
        length
    }
}
