//! What a relative remembers, as safetensors: scalars in the header, tensors by path.

use burn::module::Module;
use burn::tensor::{Tensor, TensorData};
use koala_models::stored::{StateError, Stored, encode, json};
use koala_models::trainable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::rows::{Memory, working};

const WHAT: &str = "optimizer state";

/// Key of the header.
const KEY: &str = "koala-lab-relative";

/// A method's name, and its tensors by the path of a parameter.
type Form<'a> = (&'a str, &'a dyn Fn(&str) -> &'static [&'static str]);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<N> {
    optimizer: String,
    numbers: N,
}

/// The name alone, of whatever method.
#[derive(Debug, Deserialize)]
struct Name {
    optimizer: String,
}

pub(crate) fn to_bytes<N: Serialize, M: Module>(
    (name, vectors): Form<'_>,
    numbers: &N,
    memory: &Memory,
    model: &M,
) -> Result<Vec<u8>, StateError> {
    let unstorable = |reason: String| StateError::Unstorable { what: WHAT, reason };
    let mut tensors = Vec::new();
    let mut found = 0;
    for parameter in trainable(model) {
        let Some(held) = memory.get(&parameter.path) else {
            continue;
        };
        found += 1;
        for (vector, values) in vectors(&parameter.path).iter().zip(held) {
            let name = format!("{}/{vector}", parameter.path);
            if values.shape().num_elements() != parameter.shape.iter().product::<usize>() {
                return Err(unstorable(format!(
                    "'{name}' is of another shape than the network's; pass the network it trained"
                )));
            }
            let data = (values.clone().try_into_data())
                .map_err(|error| unstorable(format!("'{name}': {error}")))?;
            let (bytes, _, dtype) = data.into_parts();
            let data = TensorData::from_bytes(bytes, parameter.shape.clone(), dtype);
            tensors.push((name, data));
        }
    }
    if found < memory.len() {
        return Err(unstorable(
            "it remembers a parameter that the network does not have; pass the network it trained"
                .to_owned(),
        ));
    }
    let header = Header {
        optimizer: name.to_owned(),
        numbers,
    };
    encode(WHAT, (KEY, json(WHAT, &header)?), &tensors)
}

pub(crate) fn from_bytes<N: DeserializeOwned, M: Module>(
    (name, vectors): Form<'_>,
    bytes: &[u8],
    model: &M,
    damage: impl FnOnce(&N) -> Option<String>,
) -> Result<(N, Memory), StateError> {
    let stored = Stored::read(WHAT, bytes)?;
    let Name { optimizer: found } = stored.header(KEY)?;
    if found != name {
        return Err(StateError::Another {
            what: WHAT,
            found,
            expected: name.to_owned(),
        });
    }
    let header: Header<N> = stored.header(KEY)?;
    if let Some(damage) = damage(&header.numbers) {
        return Err(stored.damaged(damage));
    }
    let mut memory = Memory::new();
    let mut known = Vec::new();
    for parameter in trainable(model) {
        let names: Vec<_> = vectors(&parameter.path)
            .iter()
            .map(|vector| format!("{}/{vector}", parameter.path))
            .collect();
        if !names.iter().any(|name| stored.has(name)) {
            continue;
        }
        let dtype = working(parameter.dtype);
        let elements = parameter.shape.iter().product::<usize>();
        let mut held = Vec::with_capacity(names.len());
        for name in &names {
            let data = stored.tensor(name, &parameter.shape, dtype)?;
            let (bytes, _, dtype) = data.into_parts();
            let data = TensorData::from_bytes(bytes, [elements], dtype);
            held.push(Tensor::from_data(data, (&parameter.device, dtype)));
        }
        known.extend(names);
        memory.insert(parameter.path, held);
    }
    known.sort_unstable();
    let names = stored.names();
    let unknown = names
        .iter()
        .find(|found| known.binary_search_by(|k| k.as_str().cmp(found)).is_err());
    match unknown {
        None => Ok((header.numbers, memory)),
        Some(found) => Err(stored.fault(
            found,
            format!("is nothing that {name} remembers of this network"),
        )),
    }
}
