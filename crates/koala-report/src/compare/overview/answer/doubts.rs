//! What is to be known before the answer is believed.

use crate::WorkloadComparison;
use crate::compare::words::count;

/// What speaks against any verdict.
pub(super) fn doubts(workloads: &[WorkloadComparison]) -> String {
    let mut doubts = String::new();
    let all = workloads.len();
    let of_all = |some: usize| match (some == all, all) {
        (true, 1) => String::new(),
        (true, _) => " everywhere".to_owned(),
        (false, _) => format!(" on {some} of {all}"),
    };
    let brief: Vec<&WorkloadComparison> = workloads
        .iter()
        .filter(|workload| workload.is_brief())
        .collect();
    if let Some(steps) = brief.iter().filter_map(|workload| workload.steps).max() {
        doubts.push_str(&format!(
            " After {} that is no verdict{}.",
            count(usize::try_from(steps).unwrap_or(usize::MAX), "step"),
            match brief.len() == all {
                true => String::new(),
                false => of_all(brief.len()),
            }
        ));
    }
    let falling = |workload: &&WorkloadComparison| {
        !workload.is_brief() && 2 * workload.falling.len() > workload.arms.len()
    };
    let falling = workloads.iter().filter(falling).count();
    if falling > 0 {
        doubts.push_str(&format!(
            " Most curves still fall at the end{}: more steps may change this.",
            of_all(falling)
        ));
    }
    doubts
}
