//! Optimizers of one's own.

use koala_train::optimizers::OptimizerSpec;
use koala_train::own::{OwnOptimizer, Parameter, Rule, StepAt};
use koala_train::run::{Outcome, Override, RunConfig, execute};
use koala_train::training::{Interrupt, Silent};
use serde::{Deserialize, Serialize};

use super::support::{line, losses, with};

/// Gradient descent, in one's own words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Descent {
    pub learning_rate: f64,
    pub momentum: f64,
}

impl Rule for Descent {
    const MEMORY: &'static [&'static str] = &["velocity"];

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let fault = || ("momentum", "must be below 1".to_owned());
        (self.momentum >= 1.0).then(fault)
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        for parameter in parameters {
            let old = parameter.memory[0].clone();
            let velocity = old * self.momentum + parameter.gradient.clone();
            parameter.x = parameter.x.clone() - velocity.clone() * at.rate;
            parameter.memory[0] = velocity;
        }
        Ok(())
    }
}

pub fn descent() -> OwnOptimizer {
    let rule = Descent {
        learning_rate: 0.05,
        momentum: 0.9,
    };
    OwnOptimizer::new("descent", "1", rule).unwrap()
}

#[test]
fn a_rule_of_ones_own_descends_as_koalas_sgd_does() {
    let over = [
        Override::new("optimizer.name", "sgd"),
        Override::new("optimizer.learning-rate", 0.05),
        Override::new("optimizer.momentum", 0.9),
        Override::new("epochs", 2),
        Override::new("schedule.name", "cosine"),
    ];
    let mut config = RunConfig::resolve(None, &over).unwrap();
    let (expected, sgd) = losses(&config);
    config.optimizer = OptimizerSpec::Own(descent());
    let (found, own) = losses(&config);
    for (found, expected) in found.iter().zip(&expected) {
        let (found, expected) = (f64::from_bits(*found), f64::from_bits(*expected));
        assert!(
            (found - expected).abs() <= 1e-4 * expected.abs(),
            "{found} {expected}"
        );
    }
    let bytes = |outcome: &Outcome| outcome.result.optimizer_state_bytes;
    assert_eq!(bytes(&own), bytes(&sgd));
    assert_eq!(own.result.optimizer, "descent");
}

/// Leaves something else than it had.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Careless {
    learning_rate: f64,
    fault: i64,
}

impl Rule for Careless {
    const MEMORY: &'static [&'static str] = &["velocity"];

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        let Some(first) = parameters.first_mut().filter(|_| at.number == 2) else {
            return Ok(());
        };
        match self.fault {
            0 => first.x = first.x.clone().narrow(0, 0, 1),
            1 => first.memory[0] = first.x.clone().narrow(0, 0, 1),
            2 => first.memory.clear(),
            _ => return Err(format!("the loss of {:.1} is none for me", at.loss * 0.0)),
        }
        Ok(())
    }
}

#[test]
fn a_rule_that_refuses_or_leaves_another_size_ends_the_run_with_its_reason() {
    let told = |fault: i64| {
        let rule = Careless {
            learning_rate: 1.0,
            fault,
        };
        let mut config = with(line(), 120);
        let own = OwnOptimizer::new("careless", "1", rule).unwrap();
        config.optimizer = OptimizerSpec::Own(own);
        let run = execute(&config, &mut Silent, &Interrupt::default());
        run.unwrap_err().to_string()
    };
    let expected = [
        "it left 1 numbers in x of 'layer.weight' instead of 2: give each its own",
        "it left 1 numbers in velocity of 'layer.weight' instead of 2: give each its own",
        "it left 0 tensors to remember of 'layer.weight', and says that it remembers 1: put each where it was",
        "the loss of 0.0 is none for me",
    ];
    for (fault, expected) in (0..).zip(expected) {
        let expected = format!("step 2: the optimizer 'careless': {expected}");
        assert_eq!(told(fault), expected);
    }
}
