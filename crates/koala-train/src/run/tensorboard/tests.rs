//! The file as a whole: its bytes, and what is left of it after a run was cut short.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use koala_filter::{
    BlockOutcome, BlockReport, Covariance, Outcome, ProcessNoise, SkipReason, StepReport,
};
use proptest::prelude::*;
use prost::Message;

use super::TensorBoard;
use super::event_file::EventFile;
use super::proto::{Category, Chart, Content, Event, Layout, Lines, Summary, Value, What};
use super::record::Records;
use super::text::literal;
use crate::training::{
    EpochEvent, Evaluation, Event as Told, FailureEvent, Figures, Measure, Misread, Observer,
    Samples, StepEvent,
};

const CLOCK: f64 = 1_700_000_000.25;

fn scalar(tag: &str, value: f32) -> Value {
    Value::scalar(tag.to_owned(), value, None)
}

/// `fixtures/tensorboard/README.md` says how the file was made.
#[test]
fn the_bytes_are_those_of_tensorboard() {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tensorboard");
    let expected = fs::read(fixtures.join("events.out.tfevents.golden")).unwrap();
    let layout = Layout {
        categories: vec![Category {
            title: "blocks".to_owned(),
            charts: vec![Chart {
                title: "rate".to_owned(),
                lines: Some(Lines {
                    tags: vec!["a/.*/rate$".to_owned()],
                }),
            }],
        }],
    };
    let layout = layout.encode_to_vec();
    let events = [
        (0, vec![literal("config", "seed = 1\n\nname = \"kö\"\n")]),
        (
            0,
            vec![
                Value::scalar("loss".to_owned(), 2.5, Some("In *nats*.")),
                scalar("zero", 0.0),
                Value::string("custom_scalars__config__", "custom_scalars", layout),
            ],
        ),
        (
            300,
            vec![
                scalar("loss", f32::NAN),
                scalar("loss", f32::INFINITY),
                scalar("a/b/rate", -1e-42),
            ],
        ),
        (i64::MAX, vec![literal("empty", "")]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let mut file = EventFile::open(&path, 0).unwrap();
    file.begin(CLOCK).unwrap();
    for (step, values) in events {
        file.write(&Event {
            wall_time: CLOCK,
            step,
            what: Some(What::Summary(Summary { values })),
        })
        .unwrap();
    }
    assert_eq!(file.position().unwrap(), expected.len() as u64);
    assert_eq!(fs::read(&path).unwrap(), expected);
}

fn open(path: &Path, offset: u64) -> TensorBoard {
    TensorBoard::open(path, offset, "seed = 1", 2, || CLOCK).unwrap()
}

fn events(path: &Path) -> Vec<Event> {
    let mut records = Records::new(File::open(path).unwrap());
    let mut events = Vec::new();
    while let Some(message) = records.next().unwrap() {
        events.push(Event::decode(message).unwrap());
    }
    events
}

/// Steps and values of all scalars of this name, as bits since some are not numbers.
fn curve(events: &[Event], tag: &str) -> Vec<(i64, u32)> {
    values(events)
        .filter(|(_, value)| value.tag == tag)
        .filter_map(|(step, value)| match value.content {
            Some(Content::Scalar(number)) => Some((step, number.to_bits())),
            _ => None,
        })
        .collect()
}

fn values(events: &[Event]) -> impl Iterator<Item = (i64, &Value)> {
    events
        .iter()
        .filter_map(|event| match &event.what {
            Some(What::Summary(summary)) => Some((event.step, summary)),
            _ => None,
        })
        .flat_map(|(step, summary)| summary.values.iter().map(move |value| (step, value)))
}

fn block(name: &str, outcome: BlockOutcome, number: f64) -> BlockReport {
    BlockReport {
        name: name.into(),
        outcome,
        gradient_norm: number,
        innovation: -number,
        innovation_variance: number + 1.0,
        normalised_innovation_squared: number + 2.0,
        gain_norm: number + 3.0,
        effective_learning_rate: number + 4.0,
        update_norm: number + 5.0,
        metric: None,
    }
}

fn step(step: u64, loss: f64) -> Told {
    let skipped = BlockOutcome::Skipped(SkipReason::VanishingGradient);
    Told::Step(StepEvent {
        step,
        epoch: 0,
        loss,
        misread: Some(Misread {
            error: 50.0,
            top5_error: 10.0,
        }),
        gain: 1.0,
        effective_learning_rate: 0.1,
        seconds: step as f64,
        filter: Some(StepReport {
            step,
            outcome: Outcome::Measured,
            loss,
            second_moment: loss * loss,
            target: 0.0,
            gain: 1.0,
            measurement_noise: 1.0,
            process_noise: ProcessNoise::Scalar(0.1),
            covariance: Covariance::Product,
            limiting_block: Some(0),
            update_norm: 0.1,
            gradient_norm: 0.2,
            bound_factor: 1.0,
            missing_in_a_row: 0,
            blocks: vec![
                block("first", BlockOutcome::Restarted, step as f64),
                block("second", skipped, 0.0),
            ],
            whiteness: None,
        }),
    })
}

fn figures(samples: Samples, loss: f64, error: f64) -> Figures {
    let evaluation = Evaluation {
        loss,
        misread: Some(Misread {
            error,
            top5_error: error / 2.0,
        }),
    };
    Figures::new(samples, evaluation, Measure::Error)
}

/// What a run of ten steps tells.
fn run() -> Vec<Told> {
    let mut told: Vec<Told> = (0..10)
        .map(|at| step(at, 1.0 / (at as f64 + 1.0)))
        .collect();
    told.push(Told::Epoch(EpochEvent {
        epoch: 1,
        step: 10,
        train: figures(Samples::Train, 1.0, 2.0),
        judged: figures(Samples::Test, f64::NAN, 1e300),
        seconds: 10.0,
        training_seconds: 1.0,
    }));
    told.push(Told::Failure(FailureEvent {
        message: "no <b>luck</b>".to_owned(),
    }));
    told
}

#[test]
fn a_run_is_told_in_order_and_described_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(TensorBoard::FILE_NAME);
    let mut board = open(&path, 0);
    for told in run() {
        board.observe(&told).unwrap();
    }
    let events = events(&path);
    assert_eq!(
        events[0].what,
        Some(What::FileVersion("brain.Event:2".to_owned()))
    );
    let logged: Vec<(i64, u32)> = [0, 2, 4, 6, 8]
        .map(|at| (at, (1.0 / (at as f64 + 1.0)) as f32))
        .map(|(at, loss)| (at, loss.to_bits()))
        .into();
    assert_eq!(curve(&events, "train/loss"), logged);
    assert_eq!(curve(&events, "filter/loss"), logged);
    let rates = curve(&events, "blocks/first/effective_learning_rate");
    assert_eq!(
        rates,
        [0, 2, 4, 6, 8].map(|at| (at, (at as f32 + 4.0).to_bits()))
    );
    assert_eq!(
        curve(&events, "blocks/second/outcome"),
        [0, 2, 4, 6, 8].map(|at| (at, 5f32.to_bits()))
    );
    // No zeros where nothing was measured.
    assert_eq!(curve(&events, "blocks/second/innovation"), []);
    assert_eq!(
        curve(&events, "filter/restarted_blocks"),
        [0, 2, 4, 6, 8].map(|at| (at, 1f32.to_bits()))
    );
    assert_eq!(curve(&events, "test/loss"), [(10, f32::NAN.to_bits())]);
    assert_eq!(
        curve(&events, "test/error"),
        [(10, f32::INFINITY.to_bits())]
    );
    for tag in ["train/loss", "blocks/first/innovation", "test/loss"] {
        let described: Vec<i64> = values(&events)
            .filter(|(_, value)| value.tag == tag && value.metadata.is_some())
            .map(|(step, _)| step)
            .collect();
        assert_eq!(described.len(), 1, "{tag}: {described:?}");
    }
    let texts: Vec<(i64, &str, String)> = values(&events)
        .filter_map(|(step, value)| match &value.content {
            Some(Content::Tensor(tensor)) => Some((
                step,
                value.tag.as_str(),
                String::from_utf8_lossy(&tensor.strings[0]).into_owned(),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(texts[0], (0, "config", "    seed = 1\n".to_owned()));
    assert_eq!(
        texts[1],
        (
            0,
            "filter/blocks",
            "       0  first\n       1  second\n".to_owned()
        )
    );
    assert_eq!(texts[2].1, "custom_scalars__config__");
    assert_eq!(texts[3], (10, "failure", "    no <b>luck</b>\n".to_owned()));
    assert_eq!(texts.len(), 4);
}

/// The events without descriptions, of which a run that goes on writes its own.
fn bare(path: &Path) -> Vec<String> {
    let mut events = events(path);
    for event in &mut events {
        if let Some(What::Summary(summary)) = &mut event.what {
            for value in &mut summary.values {
                if matches!(value.content, Some(Content::Scalar(_))) {
                    value.metadata = None;
                }
            }
        }
    }
    events.iter().map(|event| format!("{event:?}")).collect()
}

#[test]
fn a_run_that_goes_on_leaves_what_an_uninterrupted_one_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let mut board = open(&whole, 0);
    for told in run() {
        board.observe(&told).unwrap();
    }
    let expected = bare(&whole);
    for checkpoint in 0..run().len() {
        let path = folder.path().join("resumed");
        let mut board = open(&path, 0);
        let mut position = board.position().unwrap();
        for (at, told) in run().iter().enumerate() {
            if at == checkpoint {
                position = board.position().unwrap();
            }
            board.observe(told).unwrap();
        }
        drop(board);
        let mut board = open(&path, position);
        assert_eq!(board.position().unwrap(), position);
        for told in &run()[checkpoint..] {
            board.observe(told).unwrap();
        }
        assert_eq!(
            bare(&path),
            expected,
            "checkpoint before event {checkpoint}"
        );
    }
}

#[test]
fn a_lost_file_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events");
    let mut board = open(&path, 4711);
    board.observe(&run()[4]).unwrap();
    let events = events(&path);
    let tags: Vec<&str> = values(&events).map(|(_, value)| &*value.tag).collect();
    assert_eq!(events.len(), 3);
    for tag in ["config", "filter/blocks", "custom_scalars__config__"] {
        assert!(tags.contains(&tag), "{tag}");
    }
}

#[test]
fn a_folder_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = TensorBoard::open(folder.path(), 0, "", 1, || CLOCK).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("cannot open"), "{text}");
    assert!(text.contains(&*folder.path().to_string_lossy()), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However a file was left, one that goes on with it is whole.
    #[test]
    fn any_remains_can_be_gone_on_with(
        cut in any::<proptest::sample::Index>(),
        damage in proptest::option::of((any::<proptest::sample::Index>(), 1u8..)),
        offset in any::<proptest::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let mut board = open(&path, 0);
        for told in run() {
            board.observe(&told).unwrap();
        }
        drop(board);
        let before = bare(&path);
        let mut bytes = fs::read(&path).unwrap();
        let offset = offset.index(bytes.len() + 1) as u64;
        bytes.truncate(cut.index(bytes.len() + 1));
        if let Some((byte, change)) = damage && !bytes.is_empty() {
            let byte = byte.index(bytes.len());
            bytes[byte] ^= change;
        }
        fs::write(&path, &bytes).unwrap();

        let mut board = open(&path, offset);
        let position = board.position().unwrap();
        board.observe(&step(20, 3.0)).unwrap();
        drop(board);
        let after = bare(&path);
        let kept = after.len() - 1;
        // The version and the configuration are there, whatever was not.
        prop_assert!(kept >= 1);
        prop_assert_eq!(&after[..kept], &before[..kept]);
        let events = events(&path);
        prop_assert_eq!(events[kept].step, 20);
        prop_assert!(position <= offset || kept <= 2);
    }
}
