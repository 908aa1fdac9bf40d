//! Arms on a command line: optimizers, with options if wished.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command, Error};
use koala_train::optimizers::OptimizerSpec;

/// Takes any word, and shows in help and completions what it may begin with: what it says is read by
/// [`Arm::parse`](koala_compare::Arm::parse).
#[derive(Debug, Clone, Copy)]
pub struct ArmWords;

impl TypedValueParser for ArmWords {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            OptimizerSpec::NAMES.into_iter().map(PossibleValue::new),
        ))
    }
}
