//! Labels at the ends of lines: as near to them as they can stand without touching.

/// Where labels stand that want to stand at `wished`, each `gap` from the next, between `low` and `high`, in the same order: the
/// least sum of squares of how far they are moved (isotonic regression by pooling adjacent violators). Of more than fit, all keep the
/// distance that is left.
pub(in crate::page) fn spread(wished: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let count = wished.len();
    if count == 0 {
        return Vec::new();
    }
    let gap = gap.min((high - low) / (count.max(2) - 1) as f64);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| wished[*one].total_cmp(&wished[*other]));
    // Less what those before it take, places only have to ascend.
    let most = high - gap * (count - 1) as f64;
    let mut pools: Vec<(f64, usize)> = Vec::new();
    for (rank, at) in order.iter().enumerate() {
        pools.push((wished[*at] - gap * rank as f64, 1));
        while let [.., (before, some), (mean, many)] = pools.as_slice() {
            if before <= mean {
                break;
            }
            let together = some + many;
            let mean = (before * *some as f64 + mean * *many as f64) / together as f64;
            pools.truncate(pools.len() - 2);
            pools.push((mean, together));
        }
    }
    let places = pools
        .iter()
        .flat_map(|(mean, many)| std::iter::repeat_n(mean.clamp(low, most.max(low)), *many));
    let mut found = vec![0.0; count];
    for ((rank, at), place) in order.iter().enumerate().zip(places) {
        found[*at] = place + gap * rank as f64;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_with_room_stay_and_those_without_share_it() {
        assert_eq!(spread(&[10.0, 50.0], 14.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(spread(&[50.0, 50.0], 14.0, 0.0, 100.0), [43.0, 57.0]);
        assert_eq!(spread(&[99.0, 98.0], 14.0, 0.0, 100.0), [100.0, 86.0]);
        assert_eq!(spread(&[], 14.0, 0.0, 100.0), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn labels_never_touch_and_keep_their_order(
            wished in proptest::collection::vec(-50.0f64..350.0, 1..20),
            height in 60.0f64..400.0,
        ) {
            let gap = 15.0;
            let found = spread(&wished, gap, 0.0, height);
            let room = gap.min(height / (wished.len().max(2) - 1) as f64);
            for (at, place) in found.iter().enumerate() {
                prop_assert!((-1e-9..=height + 1e-9).contains(place), "{found:?}");
                for (other, next) in found.iter().enumerate().skip(at + 1) {
                    prop_assert!((place - next).abs() >= room - 1e-9, "{found:?}");
                    if wished[at] < wished[other] {
                        prop_assert!(place < next);
                    }
                }
            }
        }
    }
}
