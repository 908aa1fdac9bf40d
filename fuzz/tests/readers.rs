//! Every reader for a short time: what it begins from, that damaged in small ways, and bytes that are nothing.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Mutex;

use koala_fuzz::{Session, TARGETS};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Memory is counted for the whole program: one reader at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// A change of a few bytes: where, how many go, and what comes in their place.
type Change = (f64, usize, Vec<u8>);

fn changed(seed: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut input = seed.to_vec();
    for (place, gone, come) in changes {
        let at = (input.len() as f64 * place) as usize;
        let end = (at + gone).min(input.len());
        input.splice(at..end, come.iter().copied());
    }
    input
}

/// Numbers at their ends, and what formats are made of.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 14] = [
        b"",
        b"0",
        b"-1",
        b"1e999",
        b"NaN",
        b"18446744073709551615",
        b"null",
        b"[[[[",
        b"{",
        b"\"",
        b"\n",
        &[0xff; 4],
        &[0; 8],
        "\u{202e}\u{1b}[2J".as_bytes(),
    ];
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
    ]
}

#[test]
fn no_reader_panics_or_takes_memory_or_says_nothing() {
    let _alone = ALONE.lock();
    // KOALA_CASES=10000 for longer.
    let cases = std::env::var("KOALA_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: cases.unwrap_or(48),
        failure_persistence: None,
        ..Config::default()
    };
    for target in TARGETS {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::new(target, folder.path());
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}", target.name);
        for seed in seeds
            .iter()
            .map(Vec::as_slice)
            .chain([&b""[..], b"\0", b"{}", b"\xff\xfe"])
        {
            session.run(seed);
        }
        let changes = prop::collection::vec((0.0f64..1.0, 0usize..6, piece()), 0..4);
        let input = (prop::sample::select(seeds), changes, 0.0f64..4.0);
        let input = input.prop_map(|(seed, changes, cut)| {
            let mut input = changed(&seed, &changes);
            // A quarter of them are cut.
            if cut < 1.0 {
                input.truncate((input.len() as f64 * cut) as usize);
            }
            input
        });
        let outcome = TestRunner::new(config.clone()).run(&input, |input| {
            session.run(&input);
            Ok(())
        });
        outcome.unwrap_or_else(|found| panic!("{}: {found}", target.name));
    }
}
