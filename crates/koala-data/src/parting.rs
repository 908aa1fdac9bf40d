//! Which samples are trained on, chosen by and tested on: drawn by a seed, class by class.
//!
//! A file sorted by class has a test part of one class at its end. Here each class gives its share to each part.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::order::below;
use super::{DataError, SampleSet, Split};

/// How much of all samples a part takes. In a configuration a whole number is a count, and one with a point a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Share {
    /// So many samples.
    Count(usize),
    /// This fraction of all, from 0 to below 1.
    Fraction(f64),
}

/// How samples are parted. What is neither for validation nor for testing is for training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Parting {
    /// What is held out to choose by. Default none.
    pub validation: Share,
    /// What nothing is ever chosen by. Default a fifth.
    pub test: Share,
    /// What the samples are drawn by. Runs that are to be compared want the same one, whatever their own seeds are.
    pub seed: u64,
}

impl Default for Parting {
    fn default() -> Self {
        Self {
            validation: Share::Count(0),
            test: Share::Fraction(0.2),
            seed: 0,
        }
    }
}

/// The numbers of the samples of each part: every sample is in one of them.
///
/// Each is in a drawn order in which the classes alternate by their shares, so that its first samples, and its last, have
/// nearly the shares of the whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Parts {
    /// What to train on.
    pub train: Vec<usize>,
    /// What to choose by.
    pub validation: Vec<usize>,
    /// What to test on.
    pub test: Vec<usize>,
}

impl Parting {
    /// Parts samples of these classes, so that each class is in each part by its share, give or take one sample.
    ///
    /// Of a class of few, the first sample is for training, the second for testing and the third for validation. A
    /// [`Share::Count`] is met exactly; a [`Share::Fraction`] takes at least one sample of each class that has enough, and
    /// leaves one to train on, even if all together are then more or fewer than the fraction.
    ///
    /// # Errors
    ///
    /// [`DataError::Parts`] if there is no sample, a fraction is not from 0 to below 1, or nothing is left to train on.
    pub fn stratified(&self, labels: &[u16]) -> Result<Parts, DataError> {
        let test = self.test.of(labels.len(), "test")?;
        let validation = self.validation.of(labels.len(), "validation")?;
        if test.saturating_add(validation) >= labels.len() {
            return Err(DataError::Parts {
                fault: format!(
                    "{test} to test on and {validation} for validation leave nothing to train on of {} samples: ask for \
                     fewer, or give more",
                    labels.len()
                ),
            });
        }
        let mut classes = members(labels);
        for (class, samples) in classes.iter_mut().enumerate() {
            shuffle(samples, &mut self.generator(class as u64));
        }
        let sizes: Vec<usize> = classes.iter().map(Vec::len).collect();
        let least = usize::from(validation > 0 && !self.validation.is_exact());
        let reserved: Vec<usize> = sizes
            .iter()
            .map(|size| quota(validation, *size, labels.len()).0)
            .zip(&sizes)
            .map(|(whole, size)| whole.max(if *size < 3 { 0 } else { least }))
            .collect();
        let tested = allocate(&sizes, &reserved, test, self.test.is_exact());
        let validated = allocate(&sizes, &tested, validation, self.validation.is_exact());
        let mut parts = [const { Vec::new() }; 3];
        for ((mut samples, tested), validated) in classes.into_iter().zip(tested).zip(validated) {
            let train = samples.split_off((tested + validated).min(samples.len()));
            let validation = samples.split_off(tested.min(samples.len()));
            for (part, samples) in parts.iter_mut().zip([train, validation, samples]) {
                part.push(samples);
            }
        }
        // The streams after those of the classes, of which there are at most 65,536.
        let [train, validation, test] = parts;
        Ok(Parts {
            train: alternating(train, &mut self.generator(1 << 16)),
            validation: alternating(validation, &mut self.generator((1 << 16) + 1)),
            test: alternating(test, &mut self.generator((1 << 16) + 2)),
        })
    }

    /// Parts so many samples that have no classes.
    ///
    /// # Errors
    ///
    /// [`DataError::Parts`] as [`Parting::stratified`].
    pub fn drawn(&self, samples: usize) -> Result<Parts, DataError> {
        self.stratified(&vec![0; samples])
    }

    /// Parts a set, by its classes if it has some.
    ///
    /// # Errors
    ///
    /// [`DataError::Parts`] as [`Parting::stratified`].
    pub fn split<S: SampleSet>(&self, whole: &S) -> Result<Split<S>, DataError> {
        let parts = match whole.strata() {
            [] => self.drawn(whole.len()),
            labels => self.stratified(labels),
        }?;
        Ok(Split {
            train: whole.select(&parts.train),
            validation: (!parts.validation.is_empty()).then(|| whole.select(&parts.validation)),
            test: whole.select(&parts.test),
        })
    }

    /// Its key is the seed (little-endian) followed by `parting`.
    fn generator(&self, stream: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..15].copy_from_slice(b"parting");
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        generator
    }
}

impl Share {
    /// So many of all samples.
    fn of(self, samples: usize, part: &str) -> Result<usize, DataError> {
        match self {
            _ if samples == 0 => Err(DataError::Parts {
                fault: "there is no sample: give some".to_owned(),
            }),
            Self::Count(count) => Ok(count),
            Self::Fraction(0.0) => Ok(0),
            Self::Fraction(fraction) if (0.0..1.0).contains(&fraction) => {
                Ok(((fraction * samples as f64).round() as usize).max(1))
            }
            Self::Fraction(fraction) => Err(DataError::Parts {
                fault: format!(
                    "the {part} part must be a fraction from 0 to below 1, not {fraction}"
                ),
            }),
        }
    }

    fn is_exact(self) -> bool {
        matches!(self, Self::Count(_))
    }
}

/// The samples of each class.
fn members(labels: &[u16]) -> Vec<Vec<usize>> {
    let mut classes = Vec::new();
    for (sample, label) in labels.iter().enumerate() {
        let class = usize::from(*label);
        if class >= classes.len() {
            classes.resize(class + 1, Vec::new());
        }
        classes[class].push(sample);
    }
    classes
}

/// `total * size / samples` in whole samples, and what is left in parts of `samples`.
fn quota(total: usize, size: usize, samples: usize) -> (usize, u128) {
    let (product, samples) = (total as u128 * size as u128, samples.max(1) as u128);
    // Not above `size`: no part has more samples than there are.
    ((product / samples) as usize, product % samples)
}

/// How many samples each class gives to a part of `total`, if `taken` of each are for other parts: its share rounded
/// down, or one more.
fn allocate(sizes: &[usize], taken: &[usize], total: usize, exact: bool) -> Vec<usize> {
    let samples = sizes.iter().sum();
    let quotas: Vec<(usize, u128)> = sizes
        .iter()
        .map(|size| quota(total, *size, samples))
        .collect();
    let mut given: Vec<usize> = quotas.iter().map(|(whole, _)| *whole).collect();
    let mut left = total.saturating_sub(given.iter().sum());
    // Those of the largest rest first.
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| quotas[*b].1.cmp(&quotas[*a].1).then(a.cmp(b)));
    let room = |given: &[usize], class: usize, kept: usize| {
        sizes[class] > taken[class] + given[class] + kept
    };
    let mut rounded_up = vec![false; sizes.len()];
    // First the classes that would have none, then the others, each with a sample left to train on; then, if so many are
    // asked for, without.
    let passes = [(true, 1), (false, 1), (false, 0)];
    for (lacking, kept) in passes.into_iter().take(if exact { 3 } else { 2 }) {
        for class in order.iter().copied() {
            let wanted = left > 0 || (lacking && !exact && total > 0);
            let lacks = quotas[class].0 == 0;
            if wanted && !rounded_up[class] && (lacks || !lacking) && room(&given, class, kept) {
                given[class] += 1;
                rounded_up[class] = true;
                left = left.saturating_sub(1);
            }
        }
    }
    // What no class can give by its share, those give that still have some.
    while exact && left > 0 {
        let most = (0..sizes.len()).filter(|class| room(&given, *class, 0));
        let Some(class) = most.max_by_key(|class| sizes[*class] - taken[*class] - given[*class])
        else {
            break;
        };
        given[class] += 1;
        left -= 1;
    }
    given
}

fn shuffle(samples: &mut [usize], generator: &mut ChaCha8Rng) {
    for last in (1..samples.len()).rev() {
        samples.swap(last, below(generator, last as u64 + 1) as usize);
    }
}

/// The samples of all classes in one row: those of each are spread over it evenly, each drawn within its piece.
fn alternating(classes: Vec<Vec<usize>>, generator: &mut ChaCha8Rng) -> Vec<usize> {
    let mut placed: Vec<(f64, usize)> = Vec::new();
    for samples in classes {
        let count = samples.len() as f64;
        for (rank, sample) in samples.into_iter().enumerate() {
            let within = (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
            placed.push(((rank as f64 + within) / count, sample));
        }
    }
    placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    placed.into_iter().map(|(_, sample)| sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::tests::three;
    use proptest::prelude::*;

    fn parting(validation: Share, test: Share) -> Parting {
        Parting {
            validation,
            test,
            seed: 7,
        }
    }

    fn counts(part: &[usize], labels: &[u16], classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for sample in part {
            counts[usize::from(labels[*sample])] += 1;
        }
        counts
    }

    fn sorted_by_class(sizes: &[usize]) -> Vec<u16> {
        let each = sizes.iter().enumerate();
        each.flat_map(|(class, size)| vec![class as u16; *size])
            .collect()
    }

    #[test]
    fn a_file_sorted_by_class_gives_every_class_to_every_part() {
        let labels = sorted_by_class(&[50, 30, 20]);
        for (validation, test) in [
            (Share::Fraction(0.1), Share::Fraction(0.2)),
            (Share::Count(10), Share::Count(20)),
        ] {
            let parts = parting(validation, test).stratified(&labels).unwrap();
            assert_eq!(counts(&parts.test, &labels, 3), [10, 6, 4]);
            assert_eq!(counts(&parts.validation, &labels, 3), [5, 3, 2]);
            assert_eq!(counts(&parts.train, &labels, 3), [35, 21, 14]);
        }
    }

    #[test]
    fn rare_classes_come_into_every_part_that_counts_allow() {
        let labels = sorted_by_class(&[995, 3, 2, 1]);
        let fractions = parting(Share::Fraction(0.1), Share::Fraction(0.1));
        let parts = fractions.stratified(&labels).unwrap();
        assert_eq!(counts(&parts.test, &labels, 4)[1..], [1, 1, 0]);
        assert_eq!(counts(&parts.validation, &labels, 4)[1..], [1, 0, 0]);
        assert_eq!(counts(&parts.train, &labels, 4)[1..], [1, 1, 1]);
        // Many rare ones: a fraction gives one of each, a count what is asked for.
        let labels = sorted_by_class(&[4; 50]);
        let test = |share| {
            let parts = parting(Share::Count(0), share).stratified(&labels).unwrap();
            parts.test.len()
        };
        assert_eq!(
            (test(Share::Fraction(0.1)), test(Share::Count(20))),
            (50, 20)
        );
    }

    #[test]
    fn the_first_and_the_last_of_a_part_are_of_all_classes() {
        let labels = sorted_by_class(&[600, 300, 100]);
        let parts = Parting::default().stratified(&labels).unwrap();
        let (first, last) = parts.train.split_at(100);
        for some in [first, &last[600..]] {
            let counts = counts(some, &labels, 3);
            for (count, share) in counts.iter().zip([60, 30, 10]) {
                assert!(count.abs_diff(share) <= 2, "{counts:?}");
            }
        }
    }

    #[test]
    fn faults_are_named() {
        let fault = |validation, test, samples| {
            parting(validation, test)
                .drawn(samples)
                .unwrap_err()
                .to_string()
        };
        let none = Share::Count(0);
        assert_eq!(fault(none, none, 0), "parts: there is no sample: give some");
        assert_eq!(
            fault(Share::Count(4), Share::Count(6), 10),
            "parts: 6 to test on and 4 for validation leave nothing to train on of 10 samples: ask for fewer, or give more"
        );
        for fraction in [1.0, -0.1, f64::NAN, f64::INFINITY] {
            let text = fault(Share::Fraction(fraction), none, 10);
            assert!(
                text.contains("validation part must be a fraction from 0 to below 1"),
                "{text}"
            );
        }
        assert!(
            fault(Share::Count(usize::MAX), Share::Count(usize::MAX), 3).contains("leave nothing")
        );
    }

    #[test]
    fn a_set_is_split_by_its_classes() {
        let whole = three().select(&[0, 0, 1, 1, 2, 2, 0, 1, 2]);
        let split = parting(Share::Count(3), Share::Count(3))
            .split(&whole)
            .unwrap();
        for set in [
            &split.train,
            split.validation.as_ref().unwrap(),
            &split.test,
        ] {
            let mut labels = set.labels().to_vec();
            labels.sort_unstable();
            assert_eq!(labels, [0, 1, 2]);
        }
        let split = parting(Share::Count(0), Share::Count(3))
            .split(&whole)
            .unwrap();
        assert_eq!(split.validation, None);
    }

    #[test]
    fn the_draw_never_changes_between_versions() {
        let labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
        let parts = parting(Share::Count(2), Share::Count(4))
            .stratified(&labels)
            .unwrap();
        assert_eq!(
            (parts.train, parts.validation, parts.test),
            (vec![8, 0, 4, 7], vec![1, 6], vec![2, 9, 5, 3])
        );
    }

    #[test]
    fn shares_are_numbers_in_configurations() {
        let text = "validation = 0.25\ntest = 100\nseed = 3\n";
        let parting: Parting = toml::from_str(text).unwrap();
        assert_eq!(
            (parting.validation, parting.test),
            (Share::Fraction(0.25), Share::Count(100))
        );
        assert_eq!(toml::to_string(&parting).unwrap(), text);
    }

    proptest! {
        #[test]
        fn every_sample_is_in_one_part_and_every_class_has_its_share(
            sizes in proptest::collection::vec(0usize..40, 1..8), order: u64, seed: u64,
            validation in 0usize..40, test in 0usize..60, fractions: bool,
        ) {
            let mut labels = sorted_by_class(&sizes);
            let mut generator = ChaCha8Rng::seed_from_u64(order);
            for last in (1..labels.len()).rev() {
                labels.swap(last, below(&mut generator, last as u64 + 1) as usize);
            }
            let share = |count: usize| if fractions {
                Share::Fraction(count as f64 / 101.0)
            } else {
                Share::Count(count)
            };
            let parting = Parting { validation: share(validation), test: share(test), seed };
            let Ok(parts) = parting.stratified(&labels) else {
                prop_assert!(labels.is_empty() || fractions || validation + test >= labels.len());
                return Ok(());
            };
            prop_assert_eq!(&parts, &parting.stratified(&labels).unwrap());
            let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for (part, asked) in [(&parts.validation, parting.validation), (&parts.test, parting.test)] {
                let total = asked.of(labels.len(), "").unwrap();
                if !fractions { prop_assert_eq!(part.len(), total); }
                let found = counts(part, &labels, sizes.len());
                for (size, found) in sizes.iter().zip(found) {
                    let share = total as f64 * *size as f64 / labels.len() as f64;
                    prop_assert!((found as f64 - share).abs() <= 1.0, "{} of {}", found, share);
                }
            }
            // Where counts allow: a sample to train on, then one to test on, then one to choose by.
            let [train, chosen, tested] = [&parts.train, &parts.validation, &parts.test]
                .map(|part| counts(part, &labels, sizes.len()));
            for (class, size) in sizes.iter().enumerate() {
                if fractions {
                    prop_assert!(train[class] > 0 || *size == 0);
                    prop_assert!(tested[class] > 0 || *size < 2 || test == 0);
                    prop_assert!(chosen[class] > 0 || *size < 3 || validation == 0);
                }
            }
        }

        #[test]
        fn another_seed_draws_others(seed in 0u64..1 << 60) {
            let draw = |seed| Parting { seed, ..Parting::default() }.drawn(200).unwrap();
            prop_assert_ne!(draw(seed).test, draw(seed + 1).test);
        }
    }
}
