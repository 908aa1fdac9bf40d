//! The recipes that the program brings along.

/// A name and the file of that name in `recipes/`.
macro_rules! recipes {
    ($($name:literal),+ $(,)?) => {
        /// The names of all embedded recipes.
        pub const NAMES: [&str; [$($name),+].len()] = [$($name),+];

        /// The text of the embedded recipe of this name.
        pub fn text_of(name: &str) -> Option<&'static str> {
            match name {
                $($name => Some(include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/recipes/", $name, ".toml"
                ))),)+
                _ => None,
            }
        }
    };
}

recipes![
    "digits-mlp",
    "digits-deep-mlp",
    "digits-batch4",
    "friedman-mlp",
    "fashion-mnist-cnn",
    "fashion-mnist-plain-cnn",
    "fashion-mnist-vit",
    "fashion-mnist-autoencoder",
    "cifar10-resnet20",
    "shakespeare-lstm",
    "shakespeare-word-lstm",
    "shakespeare-transformer",
    "shakespeare-gpt",
    "cifar10-resnet18",
    "cifar10-resnet18-200",
    "cifar10-resnet50",
    "cifar10-resnet50-200",
    "cifar10-wrn50-2",
    "cifar10-wrn50-2-200",
    "cifar100-resnet18",
    "cifar100-resnet18-200",
    "cifar100-resnet50",
    "cifar100-resnet50-200",
    "cifar100-wrn50-2",
    "cifar100-wrn50-2-200",
    "imagenet32-resnet50",
    "ptb-lstm200",
    "ptb-lstm1500",
    "ptb-transformer",
    "wikitext2-lstm200",
    "wikitext2-lstm1500",
    "wikitext2-transformer",
    "cifar10-wgan-gp",
    "cifar10-wgan-gp-5",
];

#[cfg(test)]
mod tests {
    use super::super::Recipe;
    use super::*;
    use crate::run::{Override, RunConfig};

    #[test]
    fn what_trains_by_default_needs_no_tuning_but_for_adversaries() {
        let by_recipe = |name: &str| {
            let recipe = Recipe::find(name).unwrap();
            recipe.resolve(&[]).unwrap().optimizer.name().to_owned()
        };
        assert_eq!(by_recipe("cifar10-resnet18"), "koala-a");
        assert_eq!(by_recipe("cifar10-wgan-gp"), "koala-m");
        let by_flags = |flags: &[Override]| {
            RunConfig::resolve(None, flags)
                .unwrap()
                .optimizer
                .name()
                .to_owned()
        };
        let [images, adversaries] = [("dataset.name", "cifar10"), ("model.name", "dcgan")]
            .map(|(key, value)| Override::new(key, value));
        assert_eq!(by_flags(&[]), "koala-a");
        assert_eq!(by_flags(&[images, adversaries]), "koala-m");
    }

    #[test]
    fn every_file_is_embedded_and_every_recipe_resolves() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter_map(|f| f.strip_suffix(".toml").map(str::to_owned))
            .collect();
        files.sort();
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        assert_eq!(files, names);
        for name in NAMES {
            let recipe = Recipe::find(name).unwrap();
            for optimizer in recipe.about.published.keys() {
                assert!(
                    recipe.optimizers().any(|o| o == optimizer) || optimizer == "measure",
                    "{name}: {optimizer}"
                );
            }
        }
    }
}
