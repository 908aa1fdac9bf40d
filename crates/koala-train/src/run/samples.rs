//! The images that a run shows.

use std::path::PathBuf;

use koala_system::own_folder;

use super::durable::write_whole;
use crate::Error;
use crate::gan::grid;
use crate::training::{Event, Observer};

/// Images side by side in a picture.
const COLUMNS: usize = 8;

/// Writes images that a run shows as PNG pictures into a folder, which is made with the first of them: `real.png`, and
/// `step-000000500.png` for those that were made after 500 steps.
#[derive(Debug)]
pub struct SampleFolder {
    path: PathBuf,
}

impl SampleFolder {
    /// The pictures in the folder `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Observer for SampleFolder {
    fn observe(&mut self, event: &Event) -> Result<(), Error> {
        let Event::Pictures(pictures) = event else {
            return Ok(());
        };
        own_folder(&self.path).map_err(Error::file(&self.path, "create"))?;
        let name = format!("{}.png", pictures.name);
        let picture =
            grid(&pictures.images, COLUMNS).map_err(Error::file(self.path.join(&name), "write"))?;
        write_whole(&self.path, &name, &picture)
    }
}
