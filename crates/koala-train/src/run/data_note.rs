//! What a run learned from, if that is data of one's own.

use koala_data::{Loaded, PartSizes, Preparation};
use serde::{Deserialize, Serialize};

use super::RunConfig;

/// `data.json`: what the samples of data of one's own were, what was done to them, and what was told of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataNote {
    /// How many samples each part has.
    pub samples: PartSizes,
    /// Their SHA-256, see [`Loaded::fingerprint`]: a run goes on with the same ones only.
    pub sha256: String,
    /// What is worth knowing of them, a sentence each.
    pub warnings: Vec<String>,
    /// What was done to them, and the names of their classes and features.
    pub preparation: Preparation,
}

impl DataNote {
    /// The note on these data as a run learns from them; nothing if they are not one's own.
    pub fn of(loaded: &Loaded, config: &RunConfig) -> Option<Self> {
        let mut samples = loaded.data.sizes();
        // A text is read whole, whatever part of it is trained on.
        samples.train = config.limited(samples.train);
        Some(Self {
            samples,
            sha256: loaded.fingerprint()?.to_owned(),
            warnings: loaded.warnings.iter().map(ToString::to_string).collect(),
            preparation: loaded.preparation.clone()?,
        })
    }
}
