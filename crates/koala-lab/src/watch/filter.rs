//! What KOALA's filter does, in curves and numbers.

use koala_filter::{Outcome, StepReport};
use koala_report::{Latest, Log, VARIANCES, over_blocks};

use super::curves::{Curve, Panel};
use super::fact::Fact;

const NONE: &str = "this optimizer has no filter";
const RATE: &str = "no step has been told yet";

/// What each of P, R and Q is called and, where there are no colours, drawn with, in the order of [`VARIANCES`]. A method has P and Q
/// either whole or of position and velocity.
const LINES: [(Option<char>, &str); 7] = [
    (None, "P"),
    (None, "P"),
    (Some('·'), "P vel."),
    (Some('•'), "R"),
    (Some('×'), "Q"),
    (Some('×'), "Q"),
    (Some('+'), "Q vel."),
];

/// P, R and Q; the innovation beside its predicted spread; the effective learning rate.
pub fn panels(log: &Log) -> [Panel; 3] {
    let reports = || log.filter.iter();
    let empty = if log.filter.is_empty() && log.steps.is_empty() {
        RATE
    } else {
        NONE
    };
    let variances = VARIANCES.iter().zip(LINES).map(|((_, of), (mark, name))| {
        let told = reports().filter_map(|report| Some((report.step, of(report)?)));
        Curve::line(name, mark, told)
    });
    let innovation = reports().map(|report| {
        let size = over_blocks(report, |block| block.innovation.abs());
        (report.step, size)
    });
    let spread = reports().map(|report| {
        let spread = over_blocks(report, |block| block.innovation_variance.sqrt());
        (report.step, spread)
    });
    let rates = log
        .steps
        .iter()
        .map(|point| (point.step, point.effective_learning_rate));
    [
        Panel::new("P, R, Q", empty, variances.collect()),
        Panel::new(
            "Innovation",
            empty,
            vec![
                Curve::line("size", None, innovation),
                Curve::line("predicted spread √S", Some('·'), spread),
            ],
        ),
        Panel::new(
            "Effective learning rate",
            RATE,
            vec![Curve::new("of all blocks", None, rates)],
        ),
    ]
}

/// The effective learning rate, if it was logged: optimizers of other programs tell none.
fn rate(value: f64) -> Option<Fact> {
    (!value.is_nan()).then(|| Fact::new("effective learning rate", value))
}

/// The numbers of the last step, and of its filter if there is one.
pub fn facts(latest: &Latest) -> Vec<Fact> {
    match latest {
        Latest::Step(point, filter) => {
            let mut facts: Vec<Fact> = rate(point.effective_learning_rate).into_iter().collect();
            facts.extend(filter.iter().flat_map(|report| of(report)));
            facts
        }
        Latest::Adversarial(point, critic, generator) => {
            let mut facts = vec![
                Fact::new("critic loss", point.critic.loss),
                Fact::new("generator loss", point.generator.loss),
                Fact::new("Wasserstein estimate", point.wasserstein),
                Fact::new("gradient penalty", point.penalty),
            ];
            let networks = [
                ("critic", &point.critic, critic),
                ("generator", &point.generator, generator),
            ];
            for (name, network, filter) in networks {
                let rate = rate(network.effective_learning_rate);
                let own = filter.iter().flat_map(|report| of(report));
                facts.extend(rate.into_iter().chain(own).map(|fact| Fact {
                    name: format!("{name} {}", fact.name),
                    ..fact
                }));
            }
            facts
        }
    }
}

/// Whether the last step has a filter's report.
pub fn has_filter(latest: &Latest) -> bool {
    matches!(
        latest,
        Latest::Step(_, Some(_)) | Latest::Adversarial(_, Some(_), _)
    )
}

fn of(report: &StepReport) -> Vec<Fact> {
    let variances = VARIANCES
        .iter()
        .filter_map(|(name, of)| Some(Fact::new(name, of(report)?)));
    let mut facts: Vec<Fact> = variances.collect();
    facts.extend(report.whiteness.iter().map(|whiteness| {
        let mean = whiteness.corrected_correlation;
        Fact::new("correlation with the velocity ρ", mean)
    }));
    if matches!(report.outcome, Outcome::Missing { .. }) {
        let row = f64::from(report.missing_in_a_row);
        facts.push(Fact::new("measurements missing in a row", row));
    }
    let median = |name, value| Fact::new(name, over_blocks(report, value));
    facts.extend([
        median("innovation", |block| block.innovation),
        median("predicted spread √S", |block| {
            block.innovation_variance.sqrt()
        }),
        median("normalised innovation squared", |block| {
            block.normalised_innovation_squared
        }),
        Fact::new("gain", report.gain),
        Fact::new("gradient norm", report.gradient_norm),
        Fact::new("update norm", report.update_norm),
    ]);
    facts
}
