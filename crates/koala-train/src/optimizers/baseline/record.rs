//! What Burn's optimizers remember, by path: their own record is by the random identities of parameters, which another
//! program's network does not have.

use std::collections::{BTreeMap, HashMap, HashSet};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::RecordError;
use burn::store::burn_pack::{self, Reader, Scalar, Writer};
use burn::tensor::{Bytes, TensorData};
use koala_models::stored::{StateError, Stored, encode, json};
use koala_models::{FloatParameter, trainable};
use serde::{Deserialize, Serialize};

const WHAT: &str = "optimizer state";

/// Key of the header.
const KEY: &str = "koala-lab-optimizer";

/// Burn's name of a parameter's rank, which the shape says already.
const RANK: &str = "__rank";

/// What an optimizer remembers of a parameter that has had a gradient, in Burn's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// The optimizer's name.
    pub name: &'static str,
    /// Tensors of the parameter's shape.
    pub tensors: &'static [&'static str],
    /// Counters, from 1.
    pub counters: &'static [&'static str],
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    optimizer: String,
    /// By parameter and by name.
    counters: BTreeMap<String, BTreeMap<String, u64>>,
}

/// Bytes of all tensors that `optimizer` holds.
pub(super) fn tensor_bytes(optimizer: &ModuleOptimizer) -> Result<u64, StateError> {
    let tensors = record(optimizer)?.into_tensors().map_err(unstorable)?;
    Ok(tensors.iter().map(|tensor| tensor.byte_len() as u64).sum())
}

fn record(optimizer: &ModuleOptimizer) -> Result<Reader, StateError> {
    let bytes = optimizer.into_bytes().map_err(unstorable)?;
    Reader::from_bytes(bytes).map_err(unstorable)
}

fn unstorable(reason: impl ToString) -> StateError {
    StateError::Unstorable {
        what: WHAT,
        reason: reason.to_string(),
    }
}

/// The state of `optimizer`, which has the form `form`, as safetensors.
pub(super) fn to_bytes<M: Module>(
    form: Form,
    optimizer: &ModuleOptimizer,
    model: &M,
) -> Result<Vec<u8>, StateError> {
    let parameters = trainable(model);
    let paths: HashMap<String, &str> = parameters
        .iter()
        .map(|p| (p.id.val().to_string(), p.path.as_str()))
        .collect();
    // Burn's names are the identity, a dot, and what it is.
    let named = |name: &str| {
        match name.split_once('.') {
        Some((id, field)) => match paths.get(id) {
            Some(path) => Ok(((*path).to_owned(), field.to_owned())),
            None => Err(unstorable(
                "it remembers a parameter that the network does not have; pass the network it trained".to_owned(),
            )),
        },
        None => Err(unstorable(format!("'{name}' belongs to no parameter"))),
    }
    };
    let reader = record(optimizer)?;
    let mut counters: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for (name, value) in reader.scalars() {
        let (path, field) = named(name)?;
        if field == RANK {
            continue;
        }
        let count = u64::try_from(*value)
            .map_err(|_| unstorable(format!("'{path}/{field}' is no whole number")))?;
        counters.entry(path).or_default().insert(field, count);
    }
    let parts = reader.into_tensors().map_err(unstorable)?;
    let mut tensors = Vec::with_capacity(parts.len());
    for part in parts {
        let (name, dtype, shape, _, bytes) = part.into_parts().map_err(unstorable)?;
        let (path, field) = named(&name)?;
        let data = TensorData::from_bytes(bytes, shape, dtype);
        tensors.push((format!("{path}/{field}"), data));
    }
    let header = Header {
        optimizer: form.name.to_owned(),
        counters,
    };
    encode(WHAT, (KEY, json(WHAT, &header)?), &tensors)
}

/// `optimizer`, which has the form `form`, with the state that [`to_bytes`] gave.
pub(super) fn from_bytes<M: Module>(
    form: Form,
    optimizer: ModuleOptimizer,
    bytes: &[u8],
    model: &M,
) -> Result<ModuleOptimizer, StateError> {
    let stored = Stored::read(WHAT, bytes)?;
    let header: Header = stored.header(KEY)?;
    if header.optimizer != form.name {
        return Err(StateError::Another {
            what: WHAT,
            found: header.optimizer,
            expected: form.name.to_owned(),
        });
    }
    let parameters = trainable(model);
    check_names(form, &parameters, &stored, &header)?;
    let mut tensors = Vec::new();
    let mut scalars = Vec::new();
    for parameter in &parameters {
        let counters = header.counters.get(&parameter.path);
        let name = |field: &str| format!("{}/{field}", parameter.path);
        let met = counters.is_some() || form.tensors.iter().any(|f| stored.has(&name(f)));
        if !met {
            continue;
        }
        let id = parameter.id.val();
        scalars.push((format!("{id}.{RANK}"), Scalar::from(parameter.shape.len())));
        for field in form.counters {
            let count = counters.and_then(|c| c.get(*field)).copied();
            let count = counter(count)
                .map_err(|fault| stored.damaged(format!("counter '{}' {fault}", name(field))))?;
            scalars.push((format!("{id}.{field}"), Scalar::from(count)));
        }
        for field in form.tensors {
            let data = stored.tensor(&name(field), &parameter.shape, parameter.dtype)?;
            let (bytes, shape, dtype) = data.into_parts();
            tensors.push(burn_pack::Tensor::new(
                format!("{id}.{field}"),
                dtype,
                shape,
                Some(id),
                bytes,
            ));
        }
    }
    packed(tensors, scalars)
        .map_err(RecordError::from)
        .and_then(|bytes| optimizer.from_bytes(bytes))
        .map_err(|error| stored.damaged(error.to_string()))
}

fn packed(
    tensors: Vec<burn_pack::Tensor>,
    scalars: Vec<(String, Scalar)>,
) -> Result<Bytes, burn_pack::Error> {
    let writer = scalars
        .into_iter()
        .fold(Writer::new(tensors), |writer, (name, value)| {
            writer.with_scalar(&name, value)
        });
    writer.into_bytes()
}

/// A counter within what Burn can raise it to a power by.
fn counter(count: Option<u64>) -> Result<u64, String> {
    match count {
        None => Err("is missing".to_owned()),
        Some(count) if (1..i32::MAX as u64).contains(&count) => Ok(count),
        Some(count) => Err(format!("is {count}")),
    }
}

/// Checks that there is nothing but what the parameters may have.
fn check_names(
    form: Form,
    parameters: &[FloatParameter],
    stored: &Stored<'_>,
    header: &Header,
) -> Result<(), StateError> {
    let allowed = |fields: &[&str]| -> HashSet<String> {
        let of = |p: &FloatParameter| fields.iter().map(|f| format!("{}/{f}", p.path)).collect();
        parameters
            .iter()
            .flat_map(|p| -> Vec<String> { of(p) })
            .collect()
    };
    let (tensors, counters) = (allowed(form.tensors), allowed(form.counters));
    let named = header.counters.iter();
    let counted = named.flat_map(|(path, c)| c.keys().map(move |field| format!("{path}/{field}")));
    let found = stored.names().into_iter().map(str::to_owned);
    let unknown = found
        .filter(|name| !tensors.contains(name))
        .chain(counted.filter(|name| !counters.contains(name)))
        .next();
    match unknown {
        None => Ok(()),
        Some(name) => Err(stored.fault(
            &name,
            format!("is nothing that {} remembers of this network", form.name),
        )),
    }
}
