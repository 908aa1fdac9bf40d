//! How well a network does: mean loss and shares of misread samples.

use serde::{Deserialize, Serialize};

/// Mean loss and, if they have classes, shares of misread samples. A sample is an image, a token of a text, or a row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Mean loss; not a number if there is no sample. Cross-entropies are in nats.
    #[serde(with = "super::float")]
    pub loss: f64,
    /// How many were misread; nothing if they have no classes.
    #[serde(flatten)]
    pub misread: Option<Misread>,
}

/// Shares of misread samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Misread {
    /// Share of samples whose class has not the highest score, in percent; not a number if there is no sample.
    #[serde(with = "super::float")]
    pub error: f64,
    /// Share of samples whose class is not among the five with the highest scores, in percent.
    #[serde(with = "super::float")]
    pub top5_error: f64,
}

impl Evaluation {
    /// exp of the mean loss: among how many equally likely tokens the network chooses.
    pub fn perplexity(&self) -> f64 {
        self.loss.exp()
    }

    /// Root of the mean loss, if that is one of squared errors: in the unit of what is told.
    pub fn root(&self) -> f64 {
        self.loss.sqrt()
    }

    /// Share of misread samples in percent; not a number if they have no classes.
    pub fn error(&self) -> f64 {
        self.misread.map_or(f64::NAN, |misread| misread.error)
    }
}

/// Sums of losses and misread samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    #[serde(with = "super::float")]
    loss: f64,
    misread: u64,
    misread_by_five: u64,
    count: u64,
    /// Samples that have no class; checkpoints of those that have one are as they were before there were others.
    #[serde(default, skip_serializing_if = "is_zero")]
    unclassified: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Tally {
    /// Counts samples, given their losses, their scores, `[samples, classes]` row by row, and the class of each.
    pub fn of(losses: &[f32], scores: &[f32], classes: impl IntoIterator<Item = usize>) -> Self {
        let width = (scores.len() / losses.len().max(1)).max(1);
        let mut tally = Self {
            loss: losses.iter().map(|l| f64::from(*l)).sum(),
            count: losses.len() as u64,
            ..Self::default()
        };
        for (row, class) in scores.chunks(width).zip(classes) {
            let rank = rank(row, class);
            tally.misread += u64::from(rank != Some(0));
            tally.misread_by_five += u64::from(rank.is_none_or(|r| r >= 5));
        }
        tally
    }

    /// Counts samples without classes, given their losses.
    pub fn alone(losses: &[f32]) -> Self {
        Self {
            unclassified: losses.len() as u64,
            ..Self::of(losses, &[], [])
        }
    }

    /// Counts others too.
    pub fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.misread += other.misread;
        self.misread_by_five += other.misread_by_five;
        self.count += other.count;
        self.unclassified += other.unclassified;
    }

    /// The means.
    pub fn evaluation(&self) -> Evaluation {
        let share = |misread: u64| 100.0 * misread as f64 / self.count as f64;
        Evaluation {
            loss: self.loss / self.count as f64,
            misread: (self.unclassified == 0).then(|| Misread {
                error: share(self.misread),
                top5_error: share(self.misread_by_five),
            }),
        }
    }
}

/// How many classes come before this one, by score and then by number; none if a score is not a number.
fn rank(scores: &[f32], class: usize) -> Option<usize> {
    let own = *scores.get(class)?;
    let mut rank = 0;
    for (other, score) in scores.iter().enumerate() {
        if score.is_nan() {
            return None;
        }
        rank += usize::from(*score > own || (*score == own && other < class));
    }
    Some(rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn misread_samples_are_counted() {
        let mut tally = Tally::of(&[1.0, 3.0], &[0.0, 1.0, 2.0, 2.0], [1, 1]);
        let first = tally.evaluation();
        assert_eq!((first.loss, first.error()), (2.0, 50.0));
        tally.add(Tally::of(
            &[2.0, 2.0],
            &[f32::NAN, 1.0, 0.0, -1.0],
            [1usize, 0],
        ));
        let all = tally.evaluation();
        let misread = Misread {
            error: 50.0,
            top5_error: 25.0,
        };
        assert_eq!((all.loss, all.misread), (2.0, Some(misread)));
        assert!(Tally::default().evaluation().loss.is_nan());
        assert_eq!(all.perplexity(), 2.0f64.exp());
    }

    #[test]
    fn a_class_that_is_not_there_is_misread() {
        let tally = Tally::of(&[1.0], &[0.0, 1.0], [2]);
        assert_eq!(tally.evaluation().misread.unwrap().top5_error, 100.0);
    }

    #[test]
    fn samples_without_classes_are_never_misread() {
        let mut tally = Tally::default();
        tally.add(Tally::alone(&[1e4, 2e4]));
        tally.add(Tally::alone(&[3e4]));
        let all = tally.evaluation();
        assert_eq!((all.loss, all.misread), (2e4, None));
        assert_eq!(all.root(), 2e4f64.sqrt());
        assert!(all.error().is_nan());
        let text = serde_json::to_string(&(tally, all)).unwrap();
        assert_eq!(
            text,
            r#"[{"loss":60000.0,"misread":0,"misread_by_five":0,"count":3,"unclassified":3},{"loss":20000.0}]"#
        );
        assert_eq!(
            serde_json::from_str::<(Tally, Evaluation)>(&text).unwrap(),
            (tally, all)
        );
    }

    proptest! {
        #[test]
        fn the_rank_is_the_place_in_a_stable_sort(scores in proptest::collection::vec(-3i8..3, 1..30), class in 0usize..30) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let mut order: Vec<usize> = (0..scores.len()).collect();
            order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
            prop_assert_eq!(rank(&scores, class), order.iter().position(|c| *c == class));
        }
    }
}
