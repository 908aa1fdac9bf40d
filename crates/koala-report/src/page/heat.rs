//! Effective learning rates, block by block, as a picture.

use koala_filter::{BlockReport, StepReport};
use serde::Serialize;

use super::numbers::{Short, plain, short};
use crate::was_measured;

/// Blocks that are shown; of more, evenly chosen ones.
const BLOCKS: usize = 128;

/// A heat map. Cells are hundredths of the decimal logarithm: within two percent of the value, in four bytes.
#[derive(Debug, Serialize)]
pub(super) struct Heat {
    pub(super) steps: Vec<Short>,
    /// Names of the blocks that are shown.
    pub(super) blocks: Vec<String>,
    /// How many blocks there are.
    all: usize,
    /// Block by block, step by step; nothing where the block was left alone or its rate is not above zero.
    pub(super) cells: Vec<Vec<Option<i32>>>,
    pub(super) low: i32,
    pub(super) high: i32,
}

impl Heat {
    /// Nothing if no block ever moved along its gradient.
    pub(super) fn of(reports: &[StepReport]) -> Option<Self> {
        let all = &reports.first()?.blocks;
        let count = all.len().min(BLOCKS);
        let chosen: Vec<usize> = (0..count).map(|at| at * all.len() / count).collect();
        let row = |block: &usize| -> Vec<Option<i32>> {
            let cell = |report: &StepReport| report.blocks.get(*block).and_then(cell);
            reports.iter().map(cell).collect()
        };
        let cells: Vec<Vec<Option<i32>>> = chosen.iter().map(row).collect();
        let told = || cells.iter().flatten().flatten().copied();
        let (low, high) = (told().min()?, told().max()?);
        let steps: Vec<f64> = reports.iter().map(|report| report.step as f64).collect();
        Some(Self {
            steps: short(&steps),
            blocks: chosen.iter().map(|at| all[*at].name.to_string()).collect(),
            all: all.len(),
            cells,
            low,
            high,
        })
    }

    /// What the picture shows.
    pub(super) fn words(&self) -> String {
        let value = |hundredths: i32| plain(10f64.powf(f64::from(hundredths) / 100.0));
        let shown = match self.blocks.len() < self.all {
            true => format!(
                "{} of {} blocks, evenly chosen",
                self.blocks.len(),
                self.all
            ),
            false => format!("{} blocks", self.all),
        };
        format!(
            "{shown}, one a row, over the steps from left to right: from {} to {}.",
            value(self.low),
            value(self.high)
        )
    }
}

fn cell(block: &BlockReport) -> Option<i32> {
    let rate = block.effective_learning_rate;
    let moved = was_measured(block) && rate.is_finite() && rate > 0.0;
    moved.then(|| (100.0 * rate.log10()).round() as i32)
}
