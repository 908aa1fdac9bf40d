//! KOALA: training as Kalman filtering. The minibatch loss is a noisy measurement, the parameters are the hidden state,
//! and an extended Kalman filter with a drastically simplified covariance is the optimizer.
//!
//! Four methods, one file each: [KOALA-V](KoalaVConfig), [KOALA-M](KoalaMConfig) and [KOALA++](KoalaPpConfig) of the papers,
//! and this project's own [KOALA-A](KoalaAConfig).
//! [`dense::Koala`] trains plain slices with any of them; [`Filter`] is the mathematics alone, on which adapters for
//! tensor libraries are built.
//!
//! ```
//! use koala_filter::{KoalaMConfig, Observation, dense::Koala};
//!
//! // Least squares on four samples: l_i = (w x_i + b - y_i)^2 / 2.
//! let samples = [(0.0_f64, 1.0), (1.0, 3.0), (2.0, 5.0), (3.0, 7.0)];
//! let (mut w, mut b) = ([0.0_f64], [0.0_f64]);
//! let mut optimizer = Koala::new(KoalaMConfig::new(), &[1, 1])?;
//! for _ in 0..300 {
//!     optimizer.predict(&mut [&mut w, &mut b])?;
//!     let residuals = samples.map(|(x, y)| w[0] * x + b[0] - y);
//!     let losses = residuals.map(|residual| residual * residual / 2.0);
//!     let gradient_w = [samples.iter().zip(residuals).map(|((x, _), r)| r * x).sum::<f64>() / 4.0];
//!     let gradient_b = [residuals.iter().sum::<f64>() / 4.0];
//!     let observation = Observation::from_losses(&losses);
//!     optimizer.update(&mut [&mut w, &mut b], &[&gradient_w[..], &gradient_b[..]], &observation)?;
//! }
//! assert!((w[0] - 2.0).abs() < 0.01 && (b[0] - 1.0).abs() < 0.01);
//! # Ok::<(), koala_filter::Error>(())
//! ```
//!
//! Sources: Davtyan et al., "KOALA: A Kalman Optimization Algorithm with Loss Adaptivity", AAAI 2022
//! (arXiv 2107.03331); Xia et al., "KOALA++", NeurIPS 2025 (arXiv 2506.04432).

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod adaptive;
mod alone;
mod block;
#[cfg(feature = "conformance")]
pub mod conformance;
mod decay;
mod demands;
pub mod dense;
mod error;
mod exact_sum;
mod filter;
mod gain;
mod group;
mod guard;
mod innovation;
mod layout;
mod measured;
mod method;
mod methods;
mod momentum;
mod movement;
mod noise;
mod number;
mod observation;
mod options;
mod phase;
mod plan;
mod plusplus;
#[cfg(feature = "replay")]
pub mod replay;
mod report;
mod rules;
mod schedule;
mod shown;
mod state;
mod statistics;
mod target;
mod update;
mod vanilla;
mod workspace;

pub use adaptive::{KoalaAConfig, Metric};
pub use decay::{DecayRule, WeightDecay};
pub use demands::{Demands, Innovations, MemoryKind, SLOTS, SumsKind};
pub use error::{Error, Result};
pub use filter::Filter;
pub use group::Group;
pub use layout::{Layout, Parameter, Partition};
pub use methods::Config;
pub use momentum::{KoalaMConfig, PositionNoise};
pub use noise::MeasurementNoise;
pub use observation::Observation;
pub use options::{NegativeResidual, Options};
pub use phase::Phase;
pub use plan::{
    Deviation, Displacement, Memory, MetricStep, Motion, PreviousCovariance, TensorStep,
};
pub use plusplus::{KoalaPpConfig, PlusPlusVariant};
pub use report::{
    BlockOutcome, BlockReport, Covariance, Outcome, ProcessNoise, SkipReason, StepReport, Whiteness,
};
pub use schedule::Schedule;
pub use state::{FilterState, STATE_VERSION};
pub use statistics::{
    BlockStatistics, FloorSlopes, MetricFloor, MetricSums, Products, Reduction, Sums,
};
pub use target::Target;
pub use update::Update;
pub use vanilla::KoalaVConfig;
pub use workspace::Workspace;
