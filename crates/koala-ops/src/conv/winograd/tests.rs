use burn::tensor::ops::ConvOptions;

use super::Winograd;
use crate::conv::direct::Direct;
use crate::conv::geometry::Geometry;
use crate::kernel::{TILES, with_scratch};

fn geometry(images: usize, channels: [usize; 2], size: [usize; 2]) -> Geometry {
    let [inputs, outputs] = channels;
    let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
    Geometry::new(
        [images, inputs, size[0], size[1]],
        [outputs, inputs, 3, 3],
        &options,
    )
    .unwrap()
}

/// Layers of residual networks are computed so; few channels, wide images and what leaves most tiles of a group empty are not.
#[test]
fn what_is_worth_it_is_computed_so() {
    let chosen = |images, channels, size| Winograd::of(&geometry(images, channels, size));
    for (channels, side) in [(16, 32), (32, 16), (64, 8), (64, 32), (256, 8), (512, 4)] {
        assert!(
            chosen(32, [channels; 2], [side; 2]).is_some(),
            "{channels} channels of {side}"
        );
    }
    assert!(chosen(32, [3, 64], [32, 32]).is_none());
    assert!(chosen(32, [64, 10], [32, 32]).is_none());
    assert!(chosen(1, [64, 64], [200, 200]).is_none());
    assert!(chosen(1, [512, 512], [4, 4]).is_none());
    assert!(chosen(32, [64, 64], [1, 1]).is_none());
}

/// All rows of tiles of all images come in one group each, in order, and no group has more than it can.
#[test]
fn strips_cover_all_rows_once() {
    for (images, size) in [(1, [32, 32]), (7, [5, 9]), (33, [8, 8]), (20, [4, 4])] {
        let geometry = geometry(images, [16, 16], size);
        let tiles = size.map(|size| size.div_ceil(2));
        let winograd = Winograd {
            geometry,
            tiles,
            group: TILES / tiles[1],
        };
        let groups = winograd.strips_of(0..winograd.groups());
        let mut rows = Vec::new();
        for (number, strips) in groups.iter().enumerate() {
            let of_group: usize = strips.iter().map(|strip| strip.rows.len()).sum();
            assert!(of_group > 0 && of_group <= winograd.group);
            assert_eq!(
                winograd.strips_of(number..number + 1)[0].len(),
                strips.len()
            );
            for strip in strips {
                rows.extend(strip.rows.clone().map(|row| (strip.image, row)));
            }
        }
        let all = (0..images).flat_map(|image| (0..tiles[0]).map(move |row| (image, row)));
        assert!(rows.into_iter().eq(all));
    }
}

/// Tiles that a group lacks are zeros, whatever stood in the memory that is lent for it.
#[test]
fn what_stood_in_memory_does_not_matter() {
    let geometry = geometry(5, [16, 16], [9, 9]);
    let values: Vec<f32> = (0..geometry.images * geometry.input_elements())
        .map(|place| (place % 17) as f32 - 8.0)
        .collect();
    let weight = &values[..geometry.weights()];
    let winograd = Winograd::of(&geometry).unwrap();
    let computed = |stood: f32| {
        with_scratch(1 << 20, |memory| memory.fill(stood));
        let forward = winograd.forward(&values, weight);
        with_scratch(1 << 20, |memory| memory.fill(stood));
        (forward, winograd.weight_gradient(&values, &values))
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let (zeros, others) = pool
        .unwrap()
        .install(|| (computed(0.0), computed(f32::NAN)));
    assert_eq!(zeros, others);
}

/// How far results are from the exact ones, as a share of the sum of the products' sizes, beside those of the plain sum.
#[test]
fn results_are_as_exact_as_is_said() {
    let geometry = geometry(2, [64, 16], [16, 16]);
    let mut state = 1u64;
    let mut made = |elements: usize| -> Vec<f32> {
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        (0..elements).map(|_| next()).collect()
    };
    let input = made(geometry.images * geometry.input_elements());
    let weight = made(geometry.weights());
    let winograd = Winograd::of(&geometry).unwrap().forward(&input, &weight);
    let direct = Direct::of(&geometry).unwrap().forward(&input, &weight);
    let mut worst = [0.0f64; 2];
    let at = |image: usize, channel: usize, row: isize, column: isize| -> f64 {
        if (0..16).contains(&row) && (0..16).contains(&column) {
            let place = (image * 64 + channel) * 256 + row as usize * 16 + column as usize;
            f64::from(input[place])
        } else {
            0.0
        }
    };
    for (place, (winograd, direct)) in winograd.iter().zip(&direct).enumerate() {
        let (image, output) = (place / 256 / 16, place / 256 % 16);
        let (row, column) = (place % 256 / 16, place % 16);
        let (mut exact, mut size) = (0.0, 0.0);
        for channel in 0..64 {
            for tap in 0..9 {
                let weight = f64::from(weight[(output * 64 + channel) * 9 + tap]);
                let (row, column) = (row + tap / 3, column + tap % 3);
                let value = at(image, channel, row as isize - 1, column as isize - 1);
                exact += weight * value;
                size += (weight * value).abs();
            }
        }
        for (worst, found) in worst.iter_mut().zip([winograd, direct]) {
            *worst = worst.max((f64::from(*found) - exact).abs() / size);
        }
    }
    println!("Winograd {:.1e}, direct {:.1e}", worst[0], worst[1]);
    assert!(worst[0] < 1e-7, "{worst:?}");
}
