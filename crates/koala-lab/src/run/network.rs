//! A trained network of any form.

use super::weights_to_bytes;
use crate::StateError;
use crate::models::language::{Gpt, LstmModel, TransformerModel};
use crate::models::{Cnn, Mlp, ResNet};

/// A trained network of any form.
#[derive(Debug)]
#[non_exhaustive]
pub enum Network {
    /// Fully connected.
    Mlp(Box<Mlp>),
    /// Convolutional.
    Cnn(Box<Cnn>),
    /// Residual.
    ResNet(Box<ResNet>),
    /// Long short-term memory.
    Lstm(Box<LstmModel>),
    /// Transformer encoder layers.
    Transformer(Box<TransformerModel>),
    /// GPT.
    Gpt(Box<Gpt>),
}

macro_rules! from {
    ($($form:ident of $network:ty),+) => {$(
        impl From<$network> for Network {
            fn from(network: $network) -> Self {
                Self::$form(Box::new(network))
            }
        }
    )+};
}

from!(Mlp of Mlp, Cnn of Cnn, ResNet of ResNet, Lstm of LstmModel, Transformer of TransformerModel, Gpt of Gpt);

impl Network {
    /// Its parameters, as [`weights_to_bytes`].
    ///
    /// # Errors
    ///
    /// [`StateError`] if the device fails.
    pub fn weights(&self) -> Result<Vec<u8>, StateError> {
        match self {
            Self::Mlp(network) => weights_to_bytes(&**network),
            Self::Cnn(network) => weights_to_bytes(&**network),
            Self::ResNet(network) => weights_to_bytes(&**network),
            Self::Lstm(network) => weights_to_bytes(&**network),
            Self::Transformer(network) => weights_to_bytes(&**network),
            Self::Gpt(network) => weights_to_bytes(&**network),
        }
    }
}
