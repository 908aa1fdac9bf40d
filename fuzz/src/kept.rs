//! Inputs that fuzzing found: each reaches something of its reader that no smaller one does. `scripts/fuzz.sh keep` chooses them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use tar::Archive;

use crate::Target;

impl Target {
    /// Those that are kept of this reader, by their names.
    ///
    /// # Panics
    ///
    /// If the archive in the repository is not whole.
    pub fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds/corpus.tar.gz");
        let folder = Path::new("corpus").join(self.name);
        let mut archive = Archive::new(GzDecoder::new(File::open(archive).unwrap()));
        let mut kept = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().into_owned();
            if entry.header().entry_type().is_file() && path.parent() == Some(&folder) {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let mut input = Vec::new();
                entry.read_to_end(&mut input).unwrap();
                kept.push((name, input));
            }
        }
        kept
    }
}
