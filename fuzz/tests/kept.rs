//! Every reader with the inputs that fuzzing kept.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use koala_fuzz::{Session, TARGETS};

#[test]
fn what_fuzzing_kept_is_borne() {
    for target in TARGETS {
        let folder = tempfile::tempdir().unwrap();
        let session = Session::new(target, folder.path());
        let kept = target.kept();
        assert!(!kept.is_empty(), "{}", target.name);
        for (name, input) in kept {
            let run = AssertUnwindSafe(|| session.run(&input));
            catch_unwind(run).unwrap_or_else(|_| panic!("{}/{name}", target.name));
        }
    }
}
