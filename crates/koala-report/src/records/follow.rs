//! A log that still grows, read as it does.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use koala_system::open;

use super::lines::Lines;
use super::reading::{LINE, Latest, Reading};
use super::{Detail, Log};
use crate::Error;

/// Bytes before the place where reading goes on that have to be the same as when they were read.
const SEAM: u64 = 256;

/// Reads a log further whenever it is asked to. A last line without an end is awaited. A log that was cut, or another one in
/// its place (a run that goes on from a checkpoint, or is begun anew), is read from its beginning.
#[derive(Debug, Clone)]
pub struct Follower {
    path: PathBuf,
    detail: Detail,
    reading: Reading,
    found: bool,
    /// Length of the file when it was last looked at.
    length: u64,
    /// End of the last whole line that was read.
    offset: u64,
    /// What stands before that place.
    seam: Vec<u8>,
}

impl Follower {
    /// Follows the log `path`, of which nothing is read yet; it need not be there.
    pub fn new(path: &Path, detail: Detail) -> Self {
        Self {
            path: path.to_owned(),
            detail,
            reading: Reading::new(detail),
            found: false,
            length: 0,
            offset: 0,
            seam: Vec::new(),
        }
    }

    /// Reads what is new, and says whether anything is.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the log cannot be read. What was read before is kept, and the next look tries again.
    pub fn look(&mut self) -> Result<bool, Error> {
        let mut file = match open(&self.path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => {
                let gone = self.found;
                *self = Self::new(&self.path, self.detail);
                return Ok(gone);
            }
            Err(cause) => return Err(Error::file(&self.path, "open")(cause)),
        };
        let path = self.path.clone();
        self.read(&mut file).map_err(Error::file(&path, "read"))
    }

    fn read(&mut self, file: &mut File) -> io::Result<bool> {
        let length = file.metadata()?.len();
        let same = self.continues(file)?;
        if !same {
            *self = Self::new(&self.path, self.detail);
        } else if self.found && length == self.length {
            return Ok(false);
        }
        self.found = true;
        let begun = self.offset;
        file.seek(SeekFrom::Start(begun))?;
        let mut lines = Lines::new(BufReader::with_capacity(1 << 17, &mut *file), LINE);
        let outcome = self.reading.take_all(&mut lines);
        self.offset += lines.whole();
        outcome?;
        self.length = length;
        if self.offset > begun {
            self.seam = vec![0; self.offset.min(SEAM) as usize];
            file.seek(SeekFrom::Start(self.offset - self.seam.len() as u64))?;
            file.read_exact(&mut self.seam)?;
        }
        Ok(!same || self.offset > begun)
    }

    /// Whether what was read is still what stands there.
    fn continues(&self, file: &mut File) -> io::Result<bool> {
        file.seek(SeekFrom::Start(self.offset - self.seam.len() as u64))?;
        let mut found = Vec::with_capacity(self.seam.len());
        file.take(self.seam.len() as u64).read_to_end(&mut found)?;
        Ok(found == self.seam)
    }

    /// Whether there is a log.
    pub fn found(&self) -> bool {
        self.found
    }

    /// What is known so far.
    pub fn log(&self) -> Log {
        self.reading.log()
    }

    /// The same, for those who read no further.
    pub(super) fn into_log(self) -> Log {
        self.reading.finish()
    }

    /// The last step; nothing if there was none yet.
    pub fn latest(&self) -> Option<Latest> {
        self.reading.latest()
    }
}

impl Log {
    /// Reads a log line by line; nothing if there is none. Kinds of events that are not known are left out, as is a last line
    /// without an end, which the run is still writing or was when it was killed.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if it cannot be read. Damaged lines are no error: they are named in [`Log::damages`].
    pub fn read(path: &Path, detail: Detail) -> Result<Option<Self>, Error> {
        let mut follower = Follower::new(path, detail);
        follower.look()?;
        Ok(follower.found().then(|| follower.into_log()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;
    use std::io::Write;
    use tempfile::TempDir;

    const STEP: &str = r#"{"event":"step","step":7,"loss":0.5,"seconds":1.5}"#;

    fn begin() -> (TempDir, Follower) {
        let folder = TempDir::new().unwrap();
        let follower = Follower::new(&folder.path().join(Log::FILE), Detail::Curves);
        (folder, follower)
    }

    fn append(follower: &Follower, text: &str) {
        let mut options = File::options();
        let file = options.create(true).append(true).open(&follower.path);
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn steps(follower: &Follower) -> Vec<u64> {
        follower
            .log()
            .steps
            .iter()
            .map(|point| point.step)
            .collect()
    }

    fn step(number: u64) -> String {
        STEP.replace('7', &number.to_string()) + "\n"
    }

    #[test]
    fn a_log_may_come_later_and_go() {
        let (_folder, mut follower) = begin();
        assert!(!follower.look().unwrap() && !follower.found());
        append(&follower, &step(0));
        assert!(follower.look().unwrap() && follower.found());
        assert_eq!(steps(&follower), [0]);
        fs::remove_file(&follower.path).unwrap();
        assert!(follower.look().unwrap() && !follower.found());
        assert_eq!(follower.log(), Log::default());
        assert!(!follower.look().unwrap());
    }

    #[test]
    fn a_half_line_is_awaited() {
        let (_folder, mut follower) = begin();
        append(&follower, &step(0));
        append(&follower, &STEP[..20]);
        assert!(follower.look().unwrap());
        append(&follower, &STEP[20..40]);
        assert!(!follower.look().unwrap());
        assert_eq!((steps(&follower), follower.log().damaged), (vec![0], 0));
        append(&follower, &STEP[40..]);
        append(&follower, "\n");
        assert!(follower.look().unwrap());
        assert_eq!((steps(&follower), follower.log().damaged), (vec![0, 7], 0));
        assert_eq!(follower.latest().unwrap().done(), 8);
    }

    #[test]
    fn a_damaged_line_is_told_by_its_number_once() {
        let (_folder, mut follower) = begin();
        append(&follower, &step(0));
        follower.look().unwrap();
        append(&follower, "{]\n");
        follower.look().unwrap();
        append(&follower, &step(1));
        follower.look().unwrap();
        let log = follower.log();
        assert_eq!((log.damaged, log.damages[0].line), (1, 2));
        assert_eq!(steps(&follower), [0, 1]);
    }

    #[test]
    fn a_log_that_was_cut_is_read_again() {
        let (_folder, mut follower) = begin();
        append(&follower, &(step(0) + &step(1) + &step(2)));
        follower.look().unwrap();
        fs::write(&follower.path, step(0)).unwrap();
        assert!(follower.look().unwrap());
        assert_eq!(steps(&follower), [0]);
    }

    #[test]
    fn another_log_in_its_place_is_read_again_even_if_it_is_longer() {
        let (_folder, mut follower) = begin();
        append(&follower, &(step(0) + &step(1)));
        follower.look().unwrap();
        fs::write(&follower.path, step(3) + &step(4) + &step(5)).unwrap();
        assert!(follower.look().unwrap());
        assert_eq!(steps(&follower), [3, 4, 5]);
        fs::write(&follower.path, "").unwrap();
        assert!(follower.look().unwrap());
        assert!(steps(&follower).is_empty() && follower.latest().is_none());
    }

    #[test]
    fn nothing_is_read_twice() {
        let (_folder, mut follower) = begin();
        let many: String = (0..1000).map(step).collect();
        append(&follower, &many);
        follower.look().unwrap();
        // Changed long before the seam: a reader of the whole would find step 1 gone.
        let changed = many.replacen("\"step\":1,", "\"step\":2,", 1);
        fs::write(&follower.path, changed + &step(1000)).unwrap();
        assert!(follower.look().unwrap());
        assert_eq!(steps(&follower), (0..1001).collect::<Vec<u64>>());
    }

    proptest! {
        /// However a log grows, what is known of it is what reading the whole tells.
        #[test]
        fn following_is_reading(cuts in proptest::collection::vec(0usize..500, 0..8)) {
            let text: String = [
                r#"{"event":"start","optimizer":"sgd","dataset":"d","model":"m","parameters":3,"seed":0,"steps":9}"#.to_owned() + "\n",
                step(0),
                "damaged\n".to_owned(),
                r#"{"event":"evaluation","step":1,"validation_error":3.0}"#.to_owned() + "\n",
                r#"{"event":"gan_step","step":2,"critic":{"loss":1.0},"generator":{"loss":null}}"#.to_owned() + "\n",
                r#"{"event":"gan_epoch","step":2,"test_distance":{"mean":0.5}}"#.to_owned() + "\n",
                r#"{"event":"failure","message":"no more"}"#.to_owned(),
            ].concat();
            let (_folder, mut follower) = begin();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.push(text.len());
            cuts.sort_unstable();
            let mut from = 0;
            for to in cuts {
                append(&follower, &text[from..to]);
                from = to;
                follower.look().unwrap();
                let whole = Log::read(&follower.path, Detail::Curves).unwrap();
                // As text, in which NaN is NaN.
                prop_assert_eq!(format!("{:?}", Some(follower.log())), format!("{whole:?}"));
            }
            append(&follower, "\n");
            follower.look().unwrap();
            let log = follower.log();
            prop_assert_eq!(log.failure.as_deref(), Some("no more"));
            prop_assert_eq!(&log.distances, &[(2, 0.5)]);
            prop_assert_eq!((log.damaged, log.damages[0].line), (1, 3));
        }
    }
}
