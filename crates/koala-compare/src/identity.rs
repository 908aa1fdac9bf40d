//! The name of a run's folder.

use koala_train::run::RunConfig;
use sha2::{Digest, Sha256};

/// Hexadecimal digits of a name: 64 bits, so that among a million runs two share a name with a chance of 3 in 10^8.
const DIGITS: usize = 16;

/// The folder of a run within its suite's: `runs/` and a hash of its resolved configuration and of this program's version.
/// The version is in it because another one may compute something else, and a comparison of runs of two programs is none.
/// The number of threads is not: it does not change a run's bits.
pub fn run_folder(config: &RunConfig) -> String {
    let mut named = config.clone();
    if named.log_every == 0 {
        // Which steps are logged decides nothing, and this is how the default was written before long runs were thinned.
        named.log_every = 10;
    }
    format!(
        "runs/{}",
        digest(env!("CARGO_PKG_VERSION"), &named.to_toml())
    )
}

fn digest(version: &str, config: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("koala {version}\n"));
    hash.update(config);
    let digest = hash.finalize();
    let mut name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    name.truncate(DIGITS);
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use koala_train::run::Override;

    /// If this changes, every suite that anyone has begun starts anew. That is right when a configuration has a new key or
    /// another default, and wrong for any other reason.
    #[test]
    fn a_name_that_must_not_change_by_accident() {
        let config = RunConfig::resolve(None, &[]).unwrap();
        assert_eq!(run_folder(&config), "runs/32cfd4aaaa61c200");
    }

    #[test]
    fn every_key_is_in_the_name() {
        let of = |over: &[Override]| run_folder(&RunConfig::resolve(None, over).unwrap());
        let names: std::collections::BTreeSet<String> = [
            of(&[]),
            of(&[Override::new("seed", 1)]),
            of(&[Override::new("epochs", 3)]),
            of(&[Override::new("optimizer.gain", 1.0 + f64::EPSILON)]),
            of(&[Override::new("test", false), Override::new("validation", 9)]),
        ]
        .into();
        assert_eq!(names.len(), 5);
        assert_eq!(of(&[Override::new("seed", 0)]), of(&[]));
        assert_ne!(digest("0.1.0", "x"), digest("0.1.1", "x"));
    }
}
