//! What is told of each block.

use koala_filter::dense::Koala;
use koala_filter::{KoalaAConfig, Observation, Partition};

use crate::support::{Problem, noise, run, slices, step};

#[test]
fn the_metric_is_1_over_the_whole_model_and_told_of_each_block() {
    let problem = Problem::new(6, &[5, 7]);
    let mut x = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(KoalaAConfig::new(), &[5, 7]).unwrap();
    optimizer.predict(&mut slices(&mut x)).unwrap();
    // A block with gradients a thousand times the other's.
    let large: Vec<f64> = (0..5).map(|i| 1000.0 * noise(i)).collect();
    let small: Vec<f64> = (0..7).map(noise).collect();
    let report = optimizer
        .update(
            &mut slices(&mut x),
            &[&large[..], &small[..]],
            &Observation::from_mean(1.0),
        )
        .unwrap();
    let metric = |block: usize| report.blocks[block].metric.unwrap();
    assert!(metric(1) > 100.0 * metric(0));
    let squares = |g: &[f64]| g.iter().map(|g| g * g).sum::<f64>();
    let mean = (metric(0) * squares(&large) + metric(1) * squares(&small))
        / (squares(&large) + squares(&small));
    assert!((mean - 1.0).abs() < 1e-12);
    let [one, other] = [0, 1].map(|block| report.blocks[block].effective_learning_rate);
    assert!(other > 100.0 * one && one > 0.0);
    let global = KoalaAConfig::new().with_partition(Partition::Global);
    let mut y = problem.start::<f64>();
    let mut optimizer = Koala::<f64>::new(global, &[5, 7]).unwrap();
    let report = step(&mut optimizer, &problem, &mut y, 0);
    assert!((report.blocks[0].metric.unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn the_partition_only_says_by_what_blocks_is_reported() {
    let problem = Problem::new(6, &[5, 7]);
    let runs = [Partition::PerTensor, Partition::Global].map(|partition| {
        let mut x = problem.start::<f64>();
        let config = KoalaAConfig::new().with_partition(partition);
        let mut optimizer = Koala::<f64>::new(config, &[5, 7]).unwrap();
        let reports = run(&mut optimizer, &problem, &mut x, 0..20);
        (x, reports[19].blocks.len())
    });
    assert_eq!(runs[0].0, runs[1].0);
    assert_eq!((runs[0].1, runs[1].1), (2, 1));
}
