//! Flags of everything that runs a suite.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PathBufValueParser, StringValueParser};
use koala_compare::{Arm, Orders, Own, Problem, SUITES, Suite, suite_text};
use koala_train::optimizers::OptimizerSpec;
use koala_train::recipe::{NAMES, Recipe};
use koala_train::run::ConfigError;

use super::{Known, TaskFlags};

/// Optimizers that are compared if none is named.
const OPTIMIZERS: [&str; 6] = ["koala-a", "koala-m", "koala-v", "koala-pp", "sgd", "adam"];
/// Seeds if none is given.
const SEEDS: [u64; 3] = [0, 1, 2];

/// What is compared, where it is kept, and how much of the machine it takes.
#[derive(Args)]
pub struct SuiteFlags {
    /// What to compare: one of `koala suites`, or a file with its folder or .toml, see docs/compare.md; without, the flags below say it
    #[arg(value_name = "SUITE", value_parser = Known(PathBufValueParser::new(), &SUITES), conflicts_with_all = ["recipe", "optimizers", "seeds"])]
    suite: Option<PathBuf>,
    /// Recipe to compare on, one of `koala recipes` or a .toml file; flags win over it
    #[arg(long, value_name = "NAME", value_parser = Known(StringValueParser::new(), &NAMES), hide_possible_values = true)]
    recipe: Option<String>,
    /// Optimizers; one with options of its own is called as it is written, such as adamw:learning-rate=0.01:weight-decay=0.1 [default: koala-a,koala-m,koala-v,koala-pp,sgd,adam]
    #[arg(long, value_name = "NAME[:OPTION=VALUE..],..", value_delimiter = ',', value_parser = Known(StringValueParser::new(), &OptimizerSpec::NAMES))]
    optimizers: Vec<String>,
    /// Seeds that each optimizer runs with [default: 0,1,2]
    #[arg(
        long, value_name = "N,..", allow_negative_numbers = true, value_delimiter = ',',
        value_parser = clap::value_parser!(u64).range(0..=i64::MAX as u64)
    )]
    seeds: Vec<u64>,
    #[command(flatten)]
    task: TaskFlags,
    /// Runs that are at work at once; with more than one, seconds are no measure
    #[arg(long, value_name = "N", default_value_t = NonZero::<u16>::MIN, help_heading = "Machine")]
    jobs: NonZero<u16>,
    /// Threads of each run; they do not change what comes of it [default: the suite's, else the processors shared among --jobs]
    #[arg(long, value_name = "N", help_heading = "Machine")]
    threads: Option<NonZero<u16>>,
    /// Folder for the runs; what is done in it already is not done again [default: comparisons/ and the suite's name]
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    out: Option<PathBuf>,
    /// Take the place of another comparison in the folder; its runs stay in runs/, but in no report
    #[arg(long, help_heading = "Output")]
    pub replace: bool,
    /// List the runs and how they stand, and do nothing
    #[arg(long, help_heading = "Output")]
    pub dry_run: bool,
    /// Print nothing but errors
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
    /// Print the comparison as JSON, and nothing else, on the standard output
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

impl SuiteFlags {
    /// What is asked for.
    pub fn suite(&self) -> Result<Suite, ConfigError> {
        let overrides = self.task.overrides();
        if let Some(file) = &self.suite {
            if let Some(other) = overrides.list.first() {
                return Err(ConfigError::Value {
                    origin: other.flag(),
                    fault: format!(
                        "does not go with a suite, which says it itself: write it below [workload.set] in {}",
                        told(file)
                    ),
                });
            }
            return Suite::find(file);
        }
        let recipe = match &self.recipe {
            Some(name) => Recipe::find(name)?,
            None => Recipe::plain()?,
        };
        let config = recipe.resolve(&overrides.list)?;
        let name = match &self.recipe {
            Some(name) => stem(name),
            None => format!("{}-{}", config.dataset.name(), config.model.name()),
        };
        let problem = Problem {
            name: name.clone(),
            recipe,
            data: None,
            model: None,
            options: BTreeMap::new(),
            overrides: overrides.list,
            target: None,
            measure: None,
            tuned: true,
        };
        Ok(Suite {
            name,
            about: None,
            origin: "what is compared".to_owned(),
            source: command(),
            seeds: match self.seeds.as_slice() {
                [] => SEEDS.to_vec(),
                seeds => seeds.to_vec(),
            },
            arms: self.arms()?,
            overlays: BTreeMap::new(),
            reference: None,
            problems: vec![problem],
            horizons: Vec::new(),
            tuning: None,
            threads: None,
            own: Own::new(),
        })
    }

    /// The optimizers that are compared.
    fn arms(&self) -> Result<Vec<Arm>, ConfigError> {
        let words = self.optimizers.iter();
        match self.optimizers.is_empty() {
            true => Ok(OPTIMIZERS.map(Arm::plain).to_vec()),
            false => words.map(|word| Arm::parse("--optimizers", word)).collect(),
        }
    }

    /// Where it is kept.
    pub fn folder(&self, suite: &Suite) -> PathBuf {
        match &self.out {
            Some(folder) => folder.clone(),
            None => Path::new("comparisons").join(&suite.name),
        }
    }

    /// How much of the machine is used.
    pub fn orders(&self, suite: &Suite) -> Orders {
        let jobs = usize::from(self.jobs.get());
        let given = self.threads.map(|threads| usize::from(threads.get()));
        let threads = given.or(suite.threads).unwrap_or_else(|| {
            let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
            (processors / jobs).max(1)
        });
        Orders { jobs, threads }
    }
}

/// A suite's file, in words; that of an embedded one has to be made first.
fn told(suite: &Path) -> String {
    let name = suite.to_str().filter(|name| suite_text(name).is_some());
    match name {
        Some(name) => format!("a file of your own, begun with koala suites {name} > {name}.toml"),
        None => suite.display().to_string(),
    }
}

fn stem(recipe: &str) -> String {
    let stem = Path::new(recipe).file_stem();
    stem.map_or(recipe.to_owned(), |stem| {
        stem.to_string_lossy().into_owned()
    })
}

/// The command that was given, as one would type it, without what changes only what is printed.
fn command() -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:".contains(c);
    let quoted = |word: String| match word.chars().all(plain) && !word.is_empty() {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    let words = std::env::args_os().skip(1);
    let words = words.map(|word| word.to_string_lossy().into_owned());
    let printing = ["--json", "--quiet", "-q"];
    let words = words
        .filter(|word| !printing.contains(&word.as_str()))
        .map(quoted);
    std::iter::once("koala".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}
