//! An optimizer of your own in a configuration, and in the training loop.

use std::fmt::{self, Debug};
use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use super::name::{check_name, check_text, fault};
use super::{Parameter, Rule, StepAt};
use crate::optimizers::optimizer::mean;
use crate::optimizers::relatives::record::{from_bytes, to_bytes};
use crate::optimizers::relatives::rows::{Memory, bytes, collect, place};
use crate::optimizers::{Optimizer, OptimizerError, OptimizerSpec, StepSummary};
use crate::run::{ConfigError, hint};

/// Keys that every optimizer has in a configuration.
const TAKEN: [&str; 2] = ["name", "version"];

/// An optimizer of your own, by name, version and options. Two of the same name and version are held to be the same optimizer: change
/// the version when you change what it does, so that runs of the old one are not taken for its own.
#[derive(Clone)]
pub struct OwnOptimizer {
    name: String,
    version: String,
    options: Table,
    rule: Arc<dyn Erased>,
}

impl OwnOptimizer {
    /// An optimizer with these options as its defaults.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the name is taken or is like one of KOALA's, name or version cannot stand in a configuration, or the options
    /// cannot: they are numbers, texts and flags, the one called [`Rule::KNOB`] among them, none called `name` or `version`.
    pub fn new<R: Rule>(name: &str, version: &str, rule: R) -> Result<Self, ConfigError> {
        check_name("optimizer", name, &OptimizerSpec::NAMES)?;
        check_text("optimizer", name, "version", version)?;
        let wrong = |text: String| fault("optimizer", name, text);
        if name.starts_with("koala") {
            return Err(wrong(
                "names that begin with 'koala' are held to be KOALA's: give another".to_owned(),
            ));
        }
        let options = Table::try_from(&rule)
            .map_err(|error| wrong(format!("its options are no table of a configuration ({error}): give a struct of numbers, texts and flags")))?;
        for (key, value) in &options {
            if TAKEN.contains(&key.as_str()) {
                let text = format!("an option cannot be called '{key}', which says what it is");
                return Err(wrong(text));
            }
            if !(value.is_float() || value.is_integer() || value.is_bool() || value.is_str()) {
                let text =
                    format!("its option {key} must be a number, a text or a flag, not {value}");
                return Err(wrong(text));
            }
        }
        if !options.get(R::KNOB).is_some_and(Value::is_float) {
            let text = format!(
                "it has no number '{}' to scale its steps: give its options one, or name another by Rule::KNOB",
                R::KNOB
            );
            return Err(wrong(text));
        }
        let own = Self {
            name: name.to_owned(),
            version: version.to_owned(),
            options,
            rule: Arc::new(rule),
        };
        match own.fault() {
            None => Ok(own),
            Some((key, text)) => Err(wrong(format!("{key} {text}").trim().to_owned())),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The option that scales its steps.
    pub(crate) fn knob(&self) -> &'static str {
        self.rule.knob()
    }

    /// Tensors that it remembers of each parameter.
    pub(crate) fn remembered(&self) -> usize {
        self.rule.memory().len()
    }

    /// The same with these options over its own.
    ///
    /// # Errors
    ///
    /// The key and the fault, if there is no such option, or its value is of another kind or cannot be.
    pub fn with_options(&self, over: &Table) -> Result<Self, (String, String)> {
        let mut options = self.options.clone();
        for (key, value) in over {
            let Some(slot) = options.get_mut(key) else {
                let known: Vec<&str> = self.options.keys().map(String::as_str).collect();
                let text = format!("is no option of {}{}", self.name, hint(key, &known));
                return Err((key.clone(), text));
            };
            *slot = match (&*slot, value) {
                (Value::Float(_), Value::Integer(whole)) => Value::Float(*whole as f64),
                (old, new) if old.same_type(new) => new.clone(),
                (old, new) => {
                    let text = format!("must be {}, not {new}", kind(old));
                    return Err((key.clone(), text));
                }
            };
        }
        let rule = self.rule.with(options.clone());
        let own = Self {
            rule: rule.map_err(|text| (self.knob().to_owned(), text))?,
            options,
            ..self.clone()
        };
        match own.fault() {
            None => Ok(own),
            Some((key, text)) => Err((key.to_owned(), text)),
        }
    }

    /// What is wrong with the options: the key and the fault.
    pub(crate) fn fault(&self) -> Option<(&'static str, String)> {
        let odd = |value: &Value| value.as_float().is_some_and(|number| !number.is_finite());
        if let Some((key, value)) = self.options.iter().find(|(_, value)| odd(value)) {
            return Some(("", format!("{key} must be finite, not {value}")));
        }
        let rate = self.rule.learning_rate();
        if !rate.is_finite() {
            return Some(("", format!("its learning rate must be finite, not {rate}")));
        }
        self.rule.fault()
    }

    /// The optimizer itself.
    pub(crate) fn start<M: Module>(&self) -> Box<dyn Optimizer<M>> {
        Box::new(Ruled {
            name: self.name.clone(),
            rule: self.rule.clone(),
            numbers: Numbers { steps: 0 },
            memory: Memory::new(),
        })
    }
}

/// What a value is of, in words.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Float(_) => "a number",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        _ => "a text",
    }
}

impl Serialize for OwnOptimizer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_map(Some(TAKEN.len() + self.options.len()))?;
        for (key, text) in TAKEN.iter().zip([&self.name, &self.version]) {
            all.serialize_entry(key, text)?;
        }
        for (key, value) in &self.options {
            all.serialize_entry(key, value)?;
        }
        all.end()
    }
}

impl PartialEq for OwnOptimizer {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.version == other.version && self.options == other.options
    }
}

impl Debug for OwnOptimizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OwnOptimizer({} {} {:?})",
            self.name, self.version, self.rule
        )
    }
}

/// A rule of a type that only its maker knows.
trait Erased: Debug + Send + Sync {
    fn with(&self, options: Table) -> Result<Arc<dyn Erased>, String>;
    fn knob(&self) -> &'static str;
    fn memory(&self) -> &'static [&'static str];
    fn learning_rate(&self) -> f64;
    fn fault(&self) -> Option<(&'static str, String)>;
    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String>;
}

impl<R: Rule> Erased for R {
    fn with(&self, options: Table) -> Result<Arc<dyn Erased>, String> {
        let rule: R = options
            .try_into()
            .map_err(|error: toml::de::Error| error.message().to_owned())?;
        Ok(Arc::new(rule))
    }

    fn knob(&self) -> &'static str {
        R::KNOB
    }

    fn memory(&self) -> &'static [&'static str] {
        R::MEMORY
    }

    fn learning_rate(&self) -> f64 {
        Rule::learning_rate(self)
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        Rule::fault(self)
    }

    fn step(&self, parameters: &mut [Parameter], at: StepAt) -> Result<(), String> {
        Rule::step(self, parameters, at)
    }
}

/// The scalars that the loop remembers of a rule.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    steps: u64,
}

/// A rule in the training loop, and what it remembers.
struct Ruled {
    name: String,
    rule: Arc<dyn Erased>,
    numbers: Numbers,
    memory: Memory,
}

impl Ruled {
    fn refused(&self, reason: String) -> OptimizerError {
        OptimizerError::Own {
            name: self.name.clone(),
            reason,
        }
    }

    /// Whether a step has left everything of the size that it had.
    fn check(&self, parameter: &Parameter, elements: usize) -> Result<(), OptimizerError> {
        let names = self.rule.memory();
        let path = &parameter.path;
        if parameter.memory.len() != names.len() {
            let left = parameter.memory.len();
            return Err(self.refused(format!(
                "it left {left} tensors to remember of '{path}', and says that it remembers {}: put each where it was",
                names.len()
            )));
        }
        let held = names.iter().copied().zip(&parameter.memory);
        for (name, tensor) in [("x", &parameter.x)].into_iter().chain(held) {
            let found = tensor.dims()[0];
            if found != elements {
                return Err(self.refused(format!(
                    "it left {found} numbers in {name} of '{path}' instead of {elements}: give each its own"
                )));
            }
        }
        Ok(())
    }
}

impl<M: Module> Optimizer<M> for Ruled {
    fn prepare(&mut self, _model: &mut M) -> Result<(), OptimizerError> {
        Ok(())
    }

    fn step(
        &mut self,
        model: M,
        gradients: GradientsParams,
        losses: &[f32],
        factor: f64,
    ) -> Result<(M, StepSummary), OptimizerError> {
        let rate = self.rule.learning_rate() * factor;
        let loss = mean(losses);
        let summary = |length: f64| StepSummary {
            gain: rate,
            effective_learning_rate: length,
            report: None,
        };
        if !loss.is_finite() {
            return Ok((model, summary(0.0)));
        }
        let mut parameters = collect(&model, gradients, &self.memory);
        for parameter in &mut parameters {
            if parameter.memory.is_empty() {
                let zeros = self.rule.memory().iter().map(|_| parameter.x.zeros_like());
                parameter.memory = zeros.collect();
            }
        }
        let sizes: Vec<usize> = parameters.iter().map(|p| p.x.dims()[0]).collect();
        let at = StepAt {
            number: self.numbers.steps,
            loss,
            rate,
        };
        (self.rule.step(&mut parameters, at)).map_err(|reason| self.refused(reason))?;
        for (parameter, elements) in parameters.iter().zip(sizes) {
            self.check(parameter, elements)?;
        }
        self.numbers.steps += 1;
        let model = place(model, parameters, &mut self.memory);
        Ok((model, summary(rate)))
    }

    fn evaluation(&self, model: &M) -> Result<M, OptimizerError> {
        Ok(model.valid())
    }

    fn memory_bytes(&self) -> Result<u64, OptimizerError> {
        Ok(bytes(&self.memory))
    }

    fn state(&self, model: &M) -> Result<Vec<u8>, OptimizerError> {
        let vectors = |_: &str| self.rule.memory();
        let form = (self.name.as_str(), &vectors as _);
        Ok(to_bytes(form, &self.numbers, &self.memory, model)?)
    }

    fn restore(&mut self, bytes: &[u8], model: &M) -> Result<(), OptimizerError> {
        let vectors = |_: &str| self.rule.memory();
        let form = (self.name.as_str(), &vectors as _);
        (self.numbers, self.memory) = from_bytes(form, bytes, model, |_: &Numbers| None)?;
        Ok(())
    }
}
