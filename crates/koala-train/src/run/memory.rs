//! Whether a run fits into memory, asked before anything is made.

use koala_data::Data;
use koala_system::available_memory;

use super::parameters::parameters;
use super::{ConfigError, RunConfig};
use crate::device::DeviceName;
use crate::optimizers::OptimizerSpec;
use crate::training::AverageSpec;

/// Bytes of a number.
const NUMBER: u128 = 4;

impl RunConfig {
    /// Whether weights, gradients and what is remembered between steps fit into the memory that there is. That is the least that
    /// a run takes: activations come on top, and a run may still end for want of memory.
    pub(super) fn check_memory(&self, data: &Data) -> Result<(), ConfigError> {
        match available_memory() {
            None => Ok(()),
            Some(available) => self.check_memory_of(data, available),
        }
    }

    fn check_memory_of(&self, data: &Data, available: u64) -> Result<(), ConfigError> {
        let parameters = parameters(&self.model, data);
        let needed = parameters.and_then(|count| {
            let tensors = NUMBER * u128::from(self.tensors());
            count.checked_mul(tensors)
        });
        match needed {
            Some(needed) if needed <= u128::from(available) => Ok(()),
            _ => Err(ConfigError::Memory {
                model: self.model.name().to_owned(),
                parameters: words(parameters, plain),
                needed: words(needed, bytes),
                available: bytes(u128::from(available)),
            }),
        }
    }

    /// Tensors of the size of all parameters that are held at once, at least.
    fn tensors(&self) -> u8 {
        // On another device than the processor, only the first weights pass through this memory.
        if self.device != DeviceName::default() {
            return 1;
        }
        let average = u8::from(!matches!(self.average, AverageSpec::None {}));
        let slow = u8::from(self.lookahead.lookahead_every > 0);
        2 + self.optimizer.remembered() + average + slow
    }
}

impl OptimizerSpec {
    /// Tensors of the size of all parameters that it remembers between steps.
    fn remembered(&self) -> u8 {
        match self {
            Self::KoalaV(_) | Self::SpsMax(_) => 0,
            Self::Sgd(spec) => u8::from(spec.momentum > 0.0),
            Self::ScheduleFreeSgd(_) | Self::Momo(_) | Self::NgnM(_) | Self::Lion(_) => 1,
            // One of a hidden matrix, two of all else.
            Self::Muon(_) => 1,
            Self::KoalaM(_)
            | Self::KoalaPp(_)
            | Self::Adam(_)
            | Self::AdamW(_)
            | Self::MomoAdam(_)
            | Self::ScheduleFreeAdamW(_)
            | Self::NgnMdv1(_) => 2,
            Self::KoalaA(_) | Self::ScheduleFreePlus(_) => 3,
            Self::Prodigy(_) => 4,
            Self::Own(own) => own.remembered().try_into().unwrap_or(u8::MAX - 4),
        }
    }
}

fn words(number: Option<u128>, of: fn(u128) -> String) -> String {
    number.map_or_else(|| "more than can be counted".to_owned(), of)
}

fn plain(number: u128) -> String {
    match number {
        0..1_000_000 => number.to_string(),
        _ => format!("{:.4e}", number as f64),
    }
}

/// A number of bytes, also as people read it.
fn bytes(number: u128) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let power = number.max(1).ilog10() / 3;
    match (power as usize)
        .checked_sub(1)
        .map(|at| at.min(units.len() - 1))
    {
        None => format!("{number} bytes"),
        Some(at) => {
            let share = number as f64 / 1000f64.powi(at as i32 + 1);
            format!("{number} bytes ({share:.1} {})", units[at])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::{Override, execute_on};
    use crate::training::{Interrupt, Silent};

    #[test]
    fn what_optimizers_remember_is_what_they_say_after_a_step() {
        for name in OptimizerSpec::NAMES {
            let over = [
                Override::new("optimizer.name", name),
                Override::new("model.hidden", toml::Value::Array(vec![200.into(); 2])),
                Override::new("max-steps", 3),
                Override::new("train-limit", 200),
            ];
            let config = RunConfig::resolve(None, &over).unwrap();
            let data = config.load().unwrap();
            let outcome = execute_on(&config, &data, &mut Silent, &Interrupt::default()).unwrap();
            let one = 4 * outcome.result.parameters as u64;
            let found = outcome.result.optimizer_state_bytes;
            let remembered = u64::from(config.optimizer.remembered()) * one;
            assert!(remembered <= found, "{name}: {remembered}, {found}");
            assert!(found < remembered + one, "{name}: {remembered}, {found}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        let of = |hidden: &[i64], more: &[Override]| {
            let hidden = hidden.iter().map(|width| (*width).into()).collect();
            let mut over = vec![Override::new("model.hidden", toml::Value::Array(hidden))];
            over.extend_from_slice(more);
            RunConfig::resolve(None, &over).unwrap()
        };
        let small = of(&[10], &[Override::new("optimizer.name", "adam")]);
        let data = small.load().unwrap().data;
        // 64 x 10 + 10 and 10 x 10 + 10, four tensors of four bytes each.
        small.check_memory_of(&data, 760 * 16).unwrap();
        let text = small
            .check_memory_of(&data, 760 * 16 - 1)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("12160 bytes (12.2 kB)") && text.contains("12159 bytes"),
            "{text}"
        );
        let ema = of(
            &[10],
            &[
                Override::new("optimizer.name", "adam"),
                Override::new("average.name", "ema"),
            ],
        );
        assert!(ema.check_memory_of(&data, 760 * 16).is_err());
        let many = of(&[65536; 4096], &[]);
        let text = many
            .check_memory_of(&data, u64::MAX >> 30)
            .unwrap_err()
            .to_string();
        assert!(text.contains("mlp") && text.contains("TB"), "{text}");
    }

    #[test]
    fn bytes_are_read_by_people() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1000), "1000 bytes (1.0 kB)");
        assert_eq!(bytes(2_345_000_000), "2345000000 bytes (2.3 GB)");
        assert_eq!(words(None, bytes), "more than can be counted");
        assert_eq!(plain(1_234_567), "1.2346e6");
    }
}
