//! What stands on the screen.

use std::fs;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use serde_json::json;
use tempfile::TempDir;

use super::folders::{Made, gan_step};
use crate::watch::draw::{self, Look, RowsView};
use crate::watch::rows::Rows;
use crate::watch::snapshot::Snapshot;

fn drawn(shown: &Snapshot, width: u16, height: u16, look: &Look) -> TestBackend {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal
        .draw(|frame| draw::run(frame, shown, look, false, None))
        .unwrap();
    terminal.backend().clone()
}

fn plain(shown: &Snapshot, width: u16, height: u16) -> TestBackend {
    drawn(shown, width, height, &Look::default())
}

#[test]
fn a_run_with_a_filter() {
    let made = Made::new("koala-m").start("koala-m", 500).steps(300, true);
    let shown = made.shown(true, 2.0);
    insta::assert_snapshot!("koala_80x24", plain(&shown, 80, 24));
    insta::assert_snapshot!("koala_120x40", plain(&shown, 120, 40));
    let look = Look {
        panel: 2,
        ..Look::default()
    };
    insta::assert_snapshot!("koala_60x16_p_r_q", drawn(&shown, 60, 16, &look));
}

/// Lines with a legend: with colours fine ones, each in its own; no letter lies upon another.
#[test]
fn p_r_and_q_are_lines() {
    let made = Made::new("koala-m").start("koala-m", 500).steps(300, true);
    let shown = made.shown(true, 2.0);
    let look = Look {
        panel: 2,
        colours: true,
        ..Look::default()
    };
    let screen = drawn(&shown, 70, 20, &look);
    let text = screen.to_string();
    let legend = text.lines().nth(4).unwrap();
    for name in ["⠒ P ", "⠒ P vel.", "⠒ R ", "⠒ Q ", "⠒ Q vel."] {
        assert!(legend.contains(name), "{legend}");
    }
    let inside = text.lines().skip(5).take(11);
    let inside: String = inside
        .map(|line| line.split('│').nth(2).unwrap_or(""))
        .collect();
    assert!(
        !inside.contains(|letter: char| letter.is_ascii_alphabetic()),
        "{text}"
    );
    let buffer = screen.buffer();
    let hues: std::collections::BTreeSet<String> = buffer
        .content
        .iter()
        .filter(|cell| {
            ('\u{2801}'..='\u{28ff}').contains(&cell.symbol().chars().next().unwrap_or(' '))
        })
        .map(|cell| cell.fg.to_string())
        .collect();
    assert!(hues.len() >= 5, "{hues:?}");
}

#[test]
fn a_run_without_a_filter() {
    let made = Made::new("sgd").start("sgd", 300).steps(300, false);
    let shown = made.result("completed", 300).shown(false, 0.0);
    insta::assert_snapshot!("baseline_80x24", plain(&shown, 80, 24));
}

/// Without classes there is no panel of errors; the squared errors of a regression are told as what they are.
#[test]
fn a_run_without_classes() {
    for (measure, title) in [("loss", "Loss (nats)"), ("squared-error", "Squared error")] {
        let start = json!({
            "event": "start", "optimizer": "sgd", "dataset": "friedman", "model": "mlp", "measure": measure,
            "parameters": 17, "seed": 3, "steps": 100,
        });
        let step = json!({"event": "step", "step": 0, "loss": 1e4, "effective_learning_rate": 0.5, "seconds": 0.5});
        let epoch = json!({"event": "epoch", "step": 10, "seconds": 1.0, "train_loss": 9e3, "test_loss": 8e3});
        let shown = Made::new("sgd")
            .tell(start)
            .tell(step)
            .tell(epoch)
            .shown(false, 0.0);
        let screen = plain(&shown, 120, 40).to_string();
        assert!(screen.contains(title), "{screen}");
        assert!(
            !screen.contains("rror (%)") && !screen.contains("NaN"),
            "{screen}"
        );
    }
}

#[test]
fn a_run_that_failed() {
    let made = Made::new("sgd").start("sgd", 300).steps(100, false);
    let made = made.tell(json!({"event": "failure", "message": "the loss has not been a finite number for 25 steps, up to step 99: training has diverged. Try a lower learning-rate, a warm-up, or another seed"}));
    insta::assert_snapshot!("failed_80x24", plain(&made.shown(false, 0.0), 80, 24));
}

#[test]
fn a_run_that_has_just_begun() {
    let made = Made::new("koala-m");
    insta::assert_snapshot!("begun_80x24", plain(&made.shown(true, 0.0), 80, 24));
}

#[test]
fn adversarial_training() {
    let mut made = Made::new("koala-m").start("koala-m", 100);
    for step in (0..50).step_by(10) {
        made = made.tell(gan_step(step));
    }
    let made = made.tell(json!({"event": "gan_epoch", "step": 50, "test_distance": {"mean": 0.5}}));
    insta::assert_snapshot!("gan_120x40", plain(&made.shown(false, 0.0), 120, 40));
}

#[test]
fn a_screen_that_is_too_small_says_so_and_none_is_a_panic() {
    let made = Made::new("koala-m").start("koala-m", 500).steps(300, true);
    let shown = made.shown(true, 0.0);
    insta::assert_snapshot!("too_small", plain(&shown, 39, 9));
    for (width, height) in [(1, 1), (40, 10), (41, 11), (76, 20), (300, 5), (20, 100)] {
        for panel in 0..8 {
            let look = Look {
                panel,
                ..Look::default()
            };
            drawn(&shown, width, height, &look);
        }
    }
}

#[test]
fn without_colours_nothing_is_coloured() {
    use ratatui::style::Color;
    let made = Made::new("koala-m").start("koala-m", 500).steps(300, true);
    let shown = made.shown(true, 0.0);
    let coloured = |colours| {
        let look = Look {
            colours,
            ..Look::default()
        };
        let cells = drawn(&shown, 120, 40, &look).buffer().content.clone();
        cells.iter().any(|cell| cell.fg != Color::Reset)
    };
    assert!(coloured(true) && !coloured(false));
}

#[test]
fn runs_to_choose_from() {
    let folder = TempDir::new().unwrap();
    let runs = [
        (
            "a",
            Made::new("sgd")
                .start("sgd", 300)
                .steps(300, false)
                .result("completed", 300),
        ),
        (
            "b",
            Made::new("koala-m").start("koala-m", 500).steps(200, true),
        ),
        (
            "c",
            Made::new("koala-m")
                .start("koala-m", 500)
                .steps(100, true)
                .result("interrupted", 100),
        ),
        (
            "d",
            Made::new("sgd")
                .start("sgd", 300)
                .tell(json!({"event": "failure", "message": "no more"})),
        ),
    ];
    for (name, made) in runs {
        let to = folder.path().join(name);
        fs::create_dir(&to).unwrap();
        for entry in fs::read_dir(made.path()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    let rows = Rows::read(folder.path()).unwrap();
    let mut terminal = Terminal::new(TestBackend::new(80, 12)).unwrap();
    let view = RowsView {
        rows: &rows,
        selected: 1,
        fault: None,
    };
    terminal
        .draw(|frame| draw::rows(frame, &view, &Look::default()))
        .unwrap();
    insta::assert_snapshot!("rows", terminal.backend());
}
