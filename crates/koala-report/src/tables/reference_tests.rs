//! Arms against a reference as they are written, read by people in the snapshots beside this file.

use crate::testing::{Outcome, Suite};
use crate::{Comparison, Horizon, Measure, Role, csv, latex, markdown, page, text};

/// Three workloads, one of them with a name that tries to break out, at two lengths, and an arm that fails.
fn held() -> (Suite, Comparison) {
    let mut suite = Suite::new(&[0, 1, 2]);
    suite.listing.reference = Some("adamw".to_owned());
    for factor in [1.0, 2.0] {
        for (workload, better) in [
            ("digits", 0.5),
            ("a|b_<i>", 2.0),
            ("cifar10-resnet20-narrow", 1.0),
        ] {
            suite.workload(&format!("{workload}@{factor}"), Measure::Error, None);
            let listed = suite.listing.workloads.last_mut().unwrap();
            listed.horizon = Some(Horizon {
                of: workload.to_owned(),
                factor,
            });
            let scaled = |values: [f64; 3]| values.map(|value| value * better / factor);
            suite.arm("koala-m", &Role::Defaults, 1.0, &scaled([2.0, 2.5, 2.25]));
            match (workload, factor) {
                ("digits", 2.0) => {
                    for seed in 0..3 {
                        let failed = Outcome::Failed("the loss is not finite", &[]);
                        suite.run("schedule-free-adamw", seed, Role::Defaults, failed);
                    }
                }
                _ => suite.arm(
                    "schedule-free-adamw",
                    &Role::Defaults,
                    1.0,
                    &[4.0, 3.0, 3.5],
                ),
            }
            suite.arm("adamw", &Role::Defaults, 1.0, &[4.5, 5.0, 4.0]);
            suite.arm("adamw", &Role::Tuned, 1.0, &[2.0, 2.25, 2.5]);
        }
    }
    let comparison = suite.compare();
    (suite, comparison)
}

#[test]
fn a_reference_comes_first_in_every_notation() {
    let (_suite, comparison) = held();
    let text = text::table(&comparison);
    let own = text.find("digits@1: mlp").unwrap();
    insta::assert_snapshot!("reference_text", text[..own].trim_end());
    assert!(
        text.lines().all(|line| line.chars().count() <= 110),
        "{text}"
    );
    let markdown = markdown::document(&comparison);
    let own = markdown.find("## digits@1: mlp").unwrap();
    insta::assert_snapshot!("reference_markdown", markdown[..own].trim_end());
    let latex = latex::document(&comparison);
    assert!(latex.contains("a\\textbar{}b\\_\\textless{}i\\textgreater{}"));
    assert!(latex.contains("$\\ge$ ") && !latex.contains('≥'));
    insta::assert_snapshot!("reference_csv", csv::reference(&comparison).unwrap());
    insta::assert_snapshot!("reference_ratios", csv::ratios(&comparison).unwrap());
    let told = comparison.reference.unwrap().told;
    insta::assert_snapshot!("reference_told", told.join("\n"));
}

#[test]
fn a_page_begins_with_the_reference() {
    let (suite, comparison) = held();
    let page = page::html(&comparison, suite.folder()).unwrap();
    let [against, answer] = [
        "<h2 id=\"reference\">Against adamw</h2>",
        "<h1>On your 3 problems, koala-m (untuned) ",
    ]
    .map(|head| page.find(head).unwrap());
    // The answer first, and the numbers among the evidence.
    assert!(answer < against);
    assert!(page.contains("a|b_&#60;i&#62;") && !page.contains("a|b_<i>"));
    assert!(page.contains("fails on 1"));
}

#[test]
fn without_a_reference_there_is_no_table_of_one() {
    let (mut suite, _) = held();
    suite.listing.reference = None;
    let comparison = suite.compare();
    assert_eq!(
        (csv::reference(&comparison), csv::ratios(&comparison)),
        (None, None)
    );
    assert!(!text::table(&comparison).contains("How to read these ratios"));
    let page = page::html(&comparison, suite.folder()).unwrap();
    assert!(!page.contains("id=\"reference\""));
}
