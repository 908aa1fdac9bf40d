//! The optimizer's state in one file: a safetensors file whose header holds the filter's state as JSON and whose tensors
//! are the vectors, named `<parameter path>/velocity` and the like, in the parameters' shapes.

mod file;
mod format;
mod stored;
