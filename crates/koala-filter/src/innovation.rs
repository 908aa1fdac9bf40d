//! An innovation in the middle of an update.

use crate::gain::BlockGain;

/// A gain with the residual it is multiplied by: of a block, or of the whole model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Innovation {
    pub gain: BlockGain,
    pub residual: f64,
    pub clamped: bool,
}
