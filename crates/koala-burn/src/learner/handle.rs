//! How the clones of a model hold what they share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::module::{
    Content, Devices, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::tensor::Device;

use super::shared::Shared;

/// One of several holders. A module without parameters, since a part of one with a generic network must be one.
pub struct Handle<M>(Arc<Mutex<Shared<M>>>);

impl<M> Handle<M> {
    pub fn new(shared: Shared<M>) -> Self {
        Self(Arc::new(Mutex::new(shared)))
    }

    /// Nothing is left half done by a panic in another holder: every change is made at once.
    pub fn lock(&self) -> MutexGuard<'_, Shared<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> fmt::Debug for Handle<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lock().optimizer.fmt(formatter)
    }
}

impl<M> fmt::Display for Handle<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}

/// The learner prints its model, and this with it.
impl<M> ModuleDisplayDefault for Handle<M> {
    fn content(&self, content: Content) -> Option<Content> {
        content.add_single(&format!("{self:?}")).optional()
    }
}

impl<M> ModuleDisplay for Handle<M> {}

impl<M: Send> Module for Handle<M> {
    fn collect_devices(&self, devices: Devices) -> Devices {
        devices
    }

    fn fork(self, _device: &Device) -> Self {
        self
    }

    fn to_device(self, _device: &Device) -> Self {
        self
    }

    fn visit<V: ModuleVisitor>(&self, _visitor: &mut V) {}

    fn map<Mapper: ModuleMapper>(self, _mapper: &mut Mapper) -> Self {
        self
    }

    fn train(self) -> Self {
        self
    }

    fn valid(&self) -> Self {
        self.clone()
    }

    fn materialize(self) -> Self {
        self
    }
}
