//! Your own data, network and optimizer, compared with KOALA-A and AdamW by the protocol of `koala compare`. What else decides it stands
//! in suite.toml.
//!
//! `cargo run --release -- [FOLDER]` takes seconds, does no run twice and goes on where it was stopped; `koala report FOLDER`
//! makes a page of it, `koala watch FOLDER` looks on while it goes.

use std::error::Error;
use std::f32::consts::TAU;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Tensor, activation::relu};
use koala_compare::{Campaign, Lines, Orders, Own, Suite};
use koala_data::{DataError, LabelledTable, Parting};
use koala_train::own::{OwnData, OwnModel, OwnNetwork, OwnOptimizer, Parameter, Rule, StepAt};
use koala_train::training::Interrupt;
use serde::{Deserialize, Serialize};

/// Two hidden layers, from a point to a score for each of three spirals.
#[derive(Module, Debug)]
struct SmallNet {
    first: Linear,
    second: Linear,
    output: Linear,
}

impl OwnNetwork for SmallNet {
    type Samples = LabelledTable; // Table for numbers, ImageSet for images

    fn forward(&self, points: Tensor<2>) -> Tensor<2> {
        let hidden = relu(self.first.forward(points));
        self.output.forward(relu(self.second.forward(hidden)))
    }
    // Its losses are cross-entropies; with a method `losses` they are what you say.
}

/// x <- x - rate sign(v), v <- momentum v + (1 - momentum) g.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct SignMomentum {
    learning_rate: f64,
    momentum: f64,
}

impl Rule for SignMomentum {
    const MEMORY: &'static [&'static str] = &["velocity"];

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        for parameter in parameters {
            let old = parameter.memory[0].clone() * self.momentum;
            let velocity = old + parameter.gradient.clone() * (1.0 - self.momentum);
            parameter.x = parameter.x.clone() - velocity.clone().sign() * at.rate;
            parameter.memory[0] = velocity;
        }
        Ok(())
    }
}

/// Points on three spirals, a little beside them.
fn spirals(count: usize) -> Result<LabelledTable, DataError> {
    let point = |row: usize| {
        let (class, radius) = (row % 3, 0.1 + 0.9 * row as f32 / count as f32);
        let beside = 0.25 * (row as f32 * 12.9898).sin();
        let angle = TAU * (class as f32 / 3.0 + 1.2 * radius) + beside;
        [radius * angle.cos(), radius * angle.sin()]
    };
    let labels = (0..count).map(|row| (row % 3) as u16).collect();
    LabelledTable::new(2, 3, (0..count).flat_map(point).collect(), labels)
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "spirals".into()));
    // A fifth of the points is drawn to test on; some of the others are held out to choose by.
    let data = OwnData::drawn("spirals", spirals(1500)?, Parting::default())?;
    // The version says that it is another network, whose runs begin anew, when you change it.
    let model = OwnModel::new("small-net", "1", |draws| {
        let layer = |inputs, outputs| LinearConfig::new(inputs, outputs).init(draws.device());
        SmallNet {
            first: layer(2, 32),
            second: layer(32, 32),
            output: layer(32, 3),
        }
    })?;
    let defaults = SignMomentum {
        learning_rate: 1e-3,
        momentum: 0.9,
    };
    let optimizer = OwnOptimizer::new("sign-momentum", "1", defaults)?;
    let own = Own::new().data(data).model(model).optimizer(optimizer);

    let suite = Suite::parse_with(
        include_str!("../suite.toml"),
        "suite.toml",
        Path::new(""),
        own,
    )?;
    let orders = Orders {
        jobs: 2,
        threads: 1,
    };
    let campaign = Campaign::new(&suite, &folder, orders, None)?;
    let ended = campaign.run(&mut Lines, &Interrupt::default())?;
    print!("{}", koala_report::text::table(&campaign.found()?));
    println!("{} runs, {} of them now", ended.runs, ended.ours);
    Ok(())
}
