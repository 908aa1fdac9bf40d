//! Whether the page's hues can be told apart, by day and by night, with every kind of colour vision.

use super::chart::{FAR, HUES};

/// The style that is measured.
const PALETTE: &str = include_str!("../../assets/palette.css");

type Rgb = [f64; 3];
type Matrix = [[f64; 3]; 3];

/// Linear light of a colour such as `#2026e8`.
fn linear(hex: &str) -> Rgb {
    [1, 3, 5].map(|at| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        match value <= 0.040_45 {
            true => value / 12.92,
            false => ((value + 0.055) / 1.055).powf(2.4),
        }
    })
}

fn times(matrix: &Matrix, [a, b, c]: Rgb) -> Rgb {
    matrix.map(|row| row[0] * a + row[1] * b + row[2] * c)
}

/// Björn Ottosson, "A perceptual color space for image processing", 2020.
fn oklab(linear: Rgb) -> Rgb {
    let cones = times(
        &[
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ],
        linear,
    );
    times(
        &[
            [0.210_454_255_3, 0.793_617_785, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766],
        ],
        cones.map(|value| value.max(0.0).cbrt()),
    )
}

/// Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15,
/// severity 1: no deficiency, and without one of the three kinds of cones.
const VISIONS: [(&str, Matrix); 4] = [
    ("all", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255_528, -0.076_749, -0.178_779],
            [-0.078_411, 0.930_809, 0.147_602],
            [0.004_733, 0.691_367, 0.303_900],
        ],
    ),
];

fn seen(vision: &Matrix, colour: Rgb) -> Rgb {
    oklab(times(vision, colour).map(|value| value.clamp(0.0, 1.0)))
}

fn distance(one: Rgb, other: Rgb) -> f64 {
    let squares = one
        .iter()
        .zip(other)
        .map(|(one, other)| (one - other).powi(2));
    squares.sum::<f64>().sqrt()
}

/// WCAG 2.
fn contrast(one: Rgb, other: Rgb) -> f64 {
    let luminance = |[red, green, blue]: Rgb| 0.05 + 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

/// A colour in each of the style's blocks: by day, by night as chosen, by night as the system has it.
fn blocks(name: &str) -> Vec<&'static str> {
    let name = format!("--{name}: ");
    let parts = PALETTE.split(name.as_str()).skip(1);
    parts.map(|part| part.split(';').next().unwrap()).collect()
}

#[test]
fn hues_are_told_apart_by_everybody() {
    let papers = blocks("paper");
    assert_eq!(papers.len(), 3);
    for (block, paper) in papers.iter().enumerate() {
        let hues: Vec<Rgb> = (0..HUES)
            .map(|hue| linear(blocks(&format!("hue-{hue}"))[block]))
            .collect();
        for (at, hue) in hues.iter().enumerate() {
            // On black more is to be had.
            let least = if block == 0 { 2.95 } else { 4.0 };
            assert!(
                contrast(*hue, linear(paper)) >= least,
                "hue {at} on {paper}"
            );
        }
        for (vision, matrix) in VISIONS {
            for one in 0..hues.len() {
                for other in 0..one {
                    let apart = distance(seen(&matrix, hues[one]), seen(&matrix, hues[other]));
                    // The first are what most comparisons have.
                    let least = match (one < FAR, vision) {
                        (true, "all") => 0.155,
                        (true, _) => 0.105,
                        (false, "all") => 0.099,
                        (false, _) => 0.059,
                    };
                    assert!(
                        apart >= least,
                        "{vision}: {other} and {one} on {paper}: {apart}"
                    );
                }
            }
        }
    }
}

/// Whoever reads "the blue line" finds one: of the first, no two are called by the same name.
#[test]
fn the_first_hues_have_names_of_their_own() {
    for block in 0..3 {
        let hues: Vec<Rgb> = (0..FAR)
            .map(|hue| oklab(linear(blocks(&format!("hue-{hue}"))[block])))
            .collect();
        for one in 0..FAR {
            for other in 0..one {
                let [[_, a, b], [_, c, d]] = [hues[one], hues[other]];
                // One that is nearly grey or black has another name than a colour.
                if a.hypot(b).min(c.hypot(d)) < 0.06 {
                    continue;
                }
                let turn = (b.atan2(a) - d.atan2(c)).to_degrees().rem_euclid(360.0);
                // The first is ours.
                let least = if other == 0 { 35.0 } else { 25.0 };
                assert!(
                    turn.min(360.0 - turn) >= least,
                    "{other} and {one} in block {block}: {turn} degrees"
                );
            }
        }
    }
}

/// Night is the same whether it is chosen or the system's.
#[test]
fn both_nights_are_one() {
    for hue in 0..HUES {
        let [_, chosen, system] = blocks(&format!("hue-{hue}"))[..] else {
            panic!("hue {hue}")
        };
        assert_eq!(chosen, system);
    }
}
