//! The recorded parameters: their names, shapes and order.

use std::cmp::Reverse;
use std::collections::HashSet;

use safetensors::SafeTensors;

use super::error::Fault;
use crate::Layout;

/// The parameters that start in `param/0/`, layer by layer, weights before other tensors of their layer.
pub(super) fn layout(file: &SafeTensors) -> Result<Layout, Fault> {
    let mut names: Vec<&str> = file
        .names()
        .into_iter()
        .filter_map(|name| name.strip_prefix("param/0/"))
        .collect();
    names.sort_by_key(|name| {
        let (layer, tensor) = name.rsplit_once('.').unwrap_or(("", name));
        (layer, Reverse(tensor == "weight"), tensor)
    });
    if names.is_empty() {
        return Err(Fault::MissingTensor {
            tensor: "param/0/NAME".into(),
        });
    }
    names.into_iter().try_fold(Layout::new(), |layout, name| {
        let start = start(name);
        let view = file.tensor(&start).map_err(|_| Fault::MissingTensor {
            tensor: start.clone(),
        })?;
        Ok(layout.with_parameter(name, view.shape(), 0))
    })
}

/// Name of the tensor a parameter starts from.
pub(super) fn start(name: &str) -> String {
    format!("param/0/{name}")
}

/// Checks that every tensor of a step belongs to a parameter of `layout` and to a step up to `steps`: a gradient under
/// a misspelt name would otherwise pass for one that is absent. `mean`: whether the optimizer keeps a mean of parameters.
pub(super) fn check_known(
    file: &SafeTensors,
    layout: &Layout,
    steps: usize,
    mean: bool,
) -> Result<(), Fault> {
    let parameters: HashSet<&str> = layout
        .parameters()
        .iter()
        .map(|parameter| &*parameter.name)
        .collect();
    let mut names = file.names();
    names.sort_unstable();
    for tensor in names {
        let mut parts = tensor.splitn(3, '/');
        let (Some(kind), Some(step), Some(name)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let first = match kind {
            "param" => 0,
            "grad" | "predicted" | "average" => 1,
            _ => continue,
        };
        let reason = if kind == "average" && !mean {
            "this optimizer keeps no mean".to_owned()
        } else if !parameters.contains(name) {
            format!("no parameter 'param/0/{name}'")
        } else if !step
            .parse()
            .is_ok_and(|step: usize| (first..=steps).contains(&step))
        {
            format!("the steps are {first} to {steps}")
        } else {
            continue;
        };
        return Err(Fault::UnexpectedTensor {
            tensor: tensor.to_owned(),
            reason,
        });
    }
    Ok(())
}
