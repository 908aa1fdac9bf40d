//! The stored form of an average.

use burn::module::Module;
use koala_models::stored::{StateError, Stored, encode, json, module_tensors, place_module};
use serde::{Deserialize, Serialize};

const WHAT: &str = "average of weights";
const KEY: &str = "koala-lab-average";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    average: String,
    met: u64,
}

/// How many weights an average met, and itself.
pub(super) fn to_bytes<M: Module>(
    name: &str,
    met: u64,
    average: Option<&M>,
) -> Result<Vec<u8>, StateError> {
    let header = Header {
        average: name.to_owned(),
        met,
    };
    let tensors = match average {
        None => Vec::new(),
        Some(average) => module_tensors(WHAT, average)?,
    };
    encode(WHAT, (KEY, json(WHAT, &header)?), &tensors)
}

/// What [`to_bytes`] stored, for a network of the form of `model`.
pub(super) fn from_bytes<M: Module>(
    name: &str,
    bytes: &[u8],
    model: &M,
) -> Result<(u64, Option<M>), StateError> {
    let stored = Stored::read(WHAT, bytes)?;
    let header: Header = stored.header(KEY)?;
    if header.average != name {
        return Err(StateError::Another {
            what: WHAT,
            found: header.average,
            expected: name.to_owned(),
        });
    }
    match (header.met, stored.names().is_empty()) {
        (0, true) => Ok((0, None)),
        (0, false) => Err(stored.damaged("it averaged nothing, but holds tensors".to_owned())),
        (met, _) => Ok((met, Some(place_module(model.valid(), &stored, "")?))),
    }
}
