//! The two places between which an optimizer alternates.

use serde::{Deserialize, Serialize};

/// Where in the predict/update cycle an optimizer stands. Part of every stored state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// After `update` (or at the start): parameters are the filter's estimate; evaluate and save here.
    #[default]
    Updated,
    /// After `predict`: parameters are the filter's prediction; measure loss and gradient here.
    Predicted,
}
