//! What tuning chose, and out of what.

use super::{Column, Table};
use crate::{Chosen, ChosenValue, Comparison, Edge, Measure};

/// A row for each optimizer that was tuned on a workload; nothing if none was.
pub(crate) fn table(comparison: &Comparison) -> Option<Table> {
    let rows: Vec<Vec<String>> = comparison
        .workloads
        .iter()
        .flat_map(|workload| {
            let choices = workload.choices.iter();
            choices.map(|chosen| row(&workload.name, chosen, workload.measure))
        })
        .collect();
    (!rows.is_empty()).then(|| Table {
        caption: "What tuning chose, and the least and the largest that it tried".to_owned(),
        columns: vec![
            Column::words("workload"),
            Column::words("optimizer"),
            Column::words("chosen"),
            Column::words("tried"),
            Column::words("at the edge"),
            Column::numbers("trials"),
            Column::numbers("validation"),
        ],
        rows,
    })
}

fn row(workload: &str, chosen: &Chosen, measure: Measure) -> Vec<String> {
    let each = |told: &dyn Fn(&ChosenValue) -> String| -> String {
        let values: Vec<String> = chosen.values.iter().map(told).collect();
        values.join(", ")
    };
    let edges: Vec<String> = chosen
        .values
        .iter()
        .filter_map(|value| {
            let edge = match value.edge? {
                Edge::Least => "least",
                Edge::Largest => "largest",
            };
            Some(match chosen.values.len() {
                1 => edge.to_owned(),
                _ => format!("{edge} {}", value.name),
            })
        })
        .collect();
    vec![
        workload.to_owned(),
        chosen.optimizer.clone(),
        match chosen.trial {
            Some(_) => each(&|value| format!("{} {}", value.name, number(value.value))),
            None => "every trial failed".to_owned(),
        },
        each(&|value| format!("{} to {}", number(value.least), number(value.largest))),
        edges.join(", "),
        match chosen.failed {
            0 => chosen.trials.to_string(),
            failed => format!("{} ({failed} failed)", chosen.trials),
        },
        chosen
            .validation
            .map_or_else(String::new, |value| format!("{value:.*}", measure.digits())),
    ]
}

/// A hyperparameter as people write it: `0.03`, `1.5e-5`.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e5 => {
            let digits = (3 - value.abs().log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{value:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => {
            let text = format!("{value:.3e}");
            let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
            let digits = digits.trim_end_matches('0').trim_end_matches('.');
            format!("{digits}e{power}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn hyperparameters_have_four_digits() {
        let told = [
            0.03, 1.0, 0.000_1, 0.123_456, 1.2345e-5, 1e6, 0.0, -0.5, 300.0,
        ]
        .map(number);
        let expected = [
            "0.03", "1", "1e-4", "0.1235", "1.234e-5", "1e6", "0", "-0.5", "300",
        ];
        assert_eq!(told, expected);
    }
}
