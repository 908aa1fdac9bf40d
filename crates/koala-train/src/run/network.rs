//! A trained network of any form.

use std::any::Any;

use koala_models::gan::{Critic, Generator};
use koala_models::language::{Gpt, LstmModel, TransformerModel};
use koala_models::stored::StateError;
use koala_models::stored::weights_to_bytes;
use koala_models::{Autoencoder, Cnn, Mlp, ResNet, Vit};

use crate::own::{OwnNetwork, Trained};

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
    /// A vision transformer.
    Vit(Box<Vit>),
    /// Gives images back.
    Autoencoder(Box<Autoencoder>),
    /// A generator of images and its critic.
    Dcgan {
        /// What makes images.
        generator: Box<Generator>,
        /// What judges them.
        critic: Box<Critic>,
    },
    /// Long short-term memory.
    Lstm(Box<LstmModel>),
    /// Transformer encoder layers.
    Transformer(Box<TransformerModel>),
    /// GPT.
    Gpt(Box<Gpt>),
    /// One of your own, see [`Network::own`].
    Own(Box<dyn Trained>),
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

from!(Mlp of Mlp, Cnn of Cnn, ResNet of ResNet, Vit of Vit, Autoencoder of Autoencoder, Lstm of LstmModel, Transformer of TransformerModel, Gpt of Gpt);

impl<M: OwnNetwork> From<M> for Network {
    fn from(network: M) -> Self {
        Self::Own(Box::new(network))
    }
}

impl Network {
    /// The network of your own, if it is one of this type.
    pub fn own<M: OwnNetwork>(&self) -> Option<&M> {
        let own: &dyn Any = match self {
            Self::Own(network) => &**network,
            _ => return None,
        };
        own.downcast_ref()
    }

    /// Its parameters, as [`weights_to_bytes`]; of adversaries, the generator's.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the device fails.
    pub fn weights(&self) -> Result<Vec<u8>, StateError> {
        match self {
            Self::Mlp(network) => weights_to_bytes(&**network),
            Self::Cnn(network) => weights_to_bytes(&**network),
            Self::ResNet(network) => weights_to_bytes(&**network),
            Self::Vit(network) => weights_to_bytes(&**network),
            Self::Autoencoder(network) => weights_to_bytes(&**network),
            Self::Dcgan { generator, .. } => weights_to_bytes(&**generator),
            Self::Lstm(network) => weights_to_bytes(&**network),
            Self::Transformer(network) => weights_to_bytes(&**network),
            Self::Gpt(network) => weights_to_bytes(&**network),
            Self::Own(network) => network.weights(),
        }
    }

    /// The critic's parameters, if it is one of two adversaries.
    ///
    /// # Errors
    ///
    /// [`StateError`] if the device fails.
    pub fn critic_weights(&self) -> Result<Option<Vec<u8>>, StateError> {
        match self {
            Self::Dcgan { critic, .. } => weights_to_bytes(&**critic).map(Some),
            _ => Ok(None),
        }
    }
}
