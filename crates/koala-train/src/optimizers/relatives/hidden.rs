//! Which parameters are hidden matrices, that Muon is for.

use std::collections::HashSet;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use koala_models::trainable;

/// Paths of the hidden matrices of `model`: its trainable parameters of two dimensions or more, convolutions among them,
/// without the first and the last one in the order of its fields, which are the input and the output layer, and without
/// tables of embeddings and positions, which are told by `burn::nn::Embedding` or by the name of a field.
///
/// Where the first one is such a table and the last one stands in a list of layers, there is no output layer: the table is
/// it too, as in GPT-2, and the last one is hidden.
pub(super) fn hidden_matrices<M: Module>(model: &M) -> HashSet<String> {
    let mut census = Census::default();
    model.visit(&mut census);
    let mut matrices: Vec<(String, bool)> = trainable(model)
        .into_iter()
        .filter(|parameter| parameter.shape.len() >= 2)
        .map(|parameter| {
            let table = census.embedded.contains(&parameter.path) || is_table(&parameter.path);
            (parameter.path, table)
        })
        .collect();
    if let (Some((_, table)), Some((last, _))) = (matrices.first(), matrices.last()) {
        let tied = *table && last.split('.').any(is_index);
        if !tied {
            matrices.pop();
        }
    }
    let hidden = matrices.into_iter().skip(1).filter(|(_, table)| !table);
    hidden.map(|(path, _)| path).collect()
}

fn is_table(path: &str) -> bool {
    path.split('.')
        .any(|name| name.contains("embed") || name.contains("position"))
}

/// Whether it is a place in a list, as Burn names them.
fn is_index(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The parameters that stand in Burn's embeddings.
#[derive(Default)]
struct Census {
    path: Vec<(String, bool)>,
    embedded: HashSet<String>,
}

impl ModuleVisitor for Census {
    fn enter_module(&mut self, name: &str, container_type: &str) {
        let embedding = container_type == "Struct:Embedding";
        self.path.push((name.to_owned(), embedding));
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
        if self.path.iter().any(|(_, embedding)| *embedding) {
            let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
            self.embedded.insert(names.join("."));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
    use burn::tensor::Device;
    use koala_models::language::{
        Gpt, GptSpec, LstmModel, LstmSpec, TransformerModel, TransformerSpec,
    };
    use koala_models::{
        Cnn, CnnSpec, Draws, ImageShape, Mlp, MlpSpec, ResNet, ResNetForm, ResNetSpec, Vit, VitSpec,
    };

    const SHAPE: ImageShape = ImageShape {
        channels: 3,
        height: 16,
        width: 16,
        classes: 4,
    };

    fn draws() -> Draws {
        Draws::new(0, &Device::flex().autodiff())
    }

    /// In the order of their names.
    fn hidden<M: Module>(model: &M) -> Vec<String> {
        let mut paths: Vec<String> = hidden_matrices(model).into_iter().collect();
        paths.sort_unstable();
        paths
    }

    /// The matrices that are not hidden.
    fn others<M: Module>(model: &M) -> Vec<String> {
        let hidden = hidden_matrices(model);
        trainable(model)
            .into_iter()
            .filter(|parameter| parameter.shape.len() >= 2 && !hidden.contains(&parameter.path))
            .map(|parameter| parameter.path)
            .collect()
    }

    #[test]
    fn of_classifiers_all_but_the_first_and_the_last() {
        let mlp = |hidden: &[usize]| {
            let hidden = hidden.to_vec();
            Mlp::new(&MlpSpec { hidden }, SHAPE, &mut draws())
        };
        assert_eq!(
            hidden(&mlp(&[8, 6, 5])),
            ["layers.1.weight", "layers.2.weight"]
        );
        assert!(hidden(&mlp(&[8])).is_empty());
        assert!(hidden(&mlp(&[])).is_empty());
        let cnn = Cnn::new(&CnnSpec::default(), SHAPE, &mut draws());
        assert_eq!(others(&cnn), ["convolutions.0.weight", "output.weight"]);
        let resnet = ResNet::new(
            ResNetForm::ResNet20,
            &ResNetSpec { width: 4 },
            SHAPE,
            &mut draws(),
        );
        assert_eq!(others(&resnet), ["stem.weight", "output.weight"]);
        let vit = Vit::new(&VitSpec::default(), SHAPE, &mut draws()).unwrap();
        assert_eq!(
            others(&vit),
            ["embedding.weight", "positions", "output.weight"]
        );
    }

    #[test]
    fn of_language_models_all_but_tables_and_decoders() {
        let gpt = Gpt::new(&GptSpec::new(9), &mut draws()).unwrap();
        assert_eq!(others(&gpt), ["embedding", "positions"]);
        let lstm = LstmModel::new(&LstmSpec::new(9), &mut draws()).unwrap();
        assert_eq!(others(&lstm), ["embedding"]);
        let transformer = TransformerModel::new(&TransformerSpec::new(9), &mut draws()).unwrap();
        assert_eq!(others(&transformer), ["embedding", "output.weight"]);
    }

    #[test]
    fn embeddings_of_burn_are_tables_whatever_their_name() {
        #[derive(Module, Debug)]
        struct Words {
            first: Linear,
            words: Embedding,
            middle: Linear,
            last: Linear,
        }
        let device = Device::flex().autodiff();
        let linear = || LinearConfig::new(3, 3).init(&device);
        let words = Words {
            first: linear(),
            words: EmbeddingConfig::new(5, 3).init(&device),
            middle: linear(),
            last: linear(),
        };
        assert_eq!(hidden(&words), ["middle.weight"]);
    }
}
