//! How rows of tiles are cut into groups.

use std::ops::Range;

use super::Winograd;

/// Some rows of tiles of one image.
#[derive(Clone)]
pub(super) struct Strip {
    pub image: usize,
    pub rows: Range<usize>,
}

impl Winograd {
    pub(super) fn groups(&self) -> usize {
        (self.geometry.images * self.tiles[0]).div_ceil(self.group)
    }

    /// The strips of an image, by group.
    pub(super) fn strips(&self, image: usize) -> impl Iterator<Item = (usize, Strip)> + use<> {
        let (rows, group) = (self.tiles[0], self.group);
        let mut row = 0;
        std::iter::from_fn(move || {
            let place = image * rows + row;
            let start = row;
            row = (start + group - place % group).min(rows);
            let strip = Strip {
                image,
                rows: start..row,
            };
            (start < rows).then_some((place / group, strip))
        })
    }

    /// The strips of some groups.
    pub(super) fn strips_of(&self, groups: Range<usize>) -> Vec<Vec<Strip>> {
        let mut strips = vec![Vec::new(); groups.len()];
        let first = groups.start * self.group / self.tiles[0];
        let last = (groups.end * self.group).div_ceil(self.tiles[0]);
        for image in first..last.min(self.geometry.images) {
            for (group, strip) in self.strips(image) {
                if groups.contains(&group) {
                    strips[group - groups.start].push(strip);
                }
            }
        }
        strips
    }
}
