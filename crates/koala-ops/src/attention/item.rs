//! Attention of one sequence of a batch: by one head after the other, in tiles of queries.

use super::Sight;
use crate::DropoutMask;
use crate::kernel::{
    Matrix, MatrixMut, Store, Threads, drop_marked, dropped_marked, multiply, softmax_row,
    softmax_row_back,
};

/// Queries of a tile. Of a causal attention, later keys than the tile's last query are left out.
const TILE: usize = 32;

/// The sizes of a sequence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub time: usize,
    pub heads: usize,
    /// Width of a head.
    pub size: usize,
    pub sight: Sight,
}

/// The queries from `start` to `end`, and how many keys they see.
struct Tile {
    start: usize,
    end: usize,
    keys: usize,
}

impl Form {
    fn width(&self) -> usize {
        self.heads * self.size
    }

    /// Elements of queries, keys and values, `[time, 3 width]`.
    pub fn packed(&self) -> usize {
        self.time * 3 * self.width()
    }

    /// Elements of the results, `[time, width]`.
    pub fn results(&self) -> usize {
        self.time * self.width()
    }

    /// Elements of the probabilities, `[heads, time, time]`.
    pub fn probabilities(&self) -> usize {
        self.heads * self.time * self.time
    }

    /// How many keys a query sees.
    fn seen(&self, query: usize) -> usize {
        match self.sight {
            Sight::Before => query + 1,
            Sight::All => self.time,
        }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }

    fn tiles(&self) -> impl Iterator<Item = Tile> {
        (0..self.time).step_by(TILE).map(|start| {
            let end = (start + TILE).min(self.time);
            Tile {
                start,
                end,
                keys: self.seen(end - 1),
            }
        })
    }

    /// Rows of one head's queries (part 0), keys (1) or values (2).
    fn part<'a>(
        &self,
        packed: &'a [f32],
        [head, part]: [usize; 2],
        [start, end]: [usize; 2],
    ) -> Matrix<'a> {
        let stride = 3 * self.width();
        let first = start * stride + part * self.width() + head * self.size;
        Matrix::strided(&packed[first..], end - start, self.size, stride)
    }

    /// The same to write to.
    fn part_mut<'a>(
        &self,
        packed: &'a mut [f32],
        [head, part]: [usize; 2],
        [start, end]: [usize; 2],
    ) -> MatrixMut<'a> {
        let stride = 3 * self.width();
        let first = start * stride + part * self.width() + head * self.size;
        MatrixMut::strided(&mut packed[first..], end - start, self.size, stride)
    }
}

/// The attention of one sequence: `packed` to `results`. The mask, if there is one, comes with the place of the sequence's
/// first probability in it. The probabilities are written unless there is no room.
pub(super) fn forward(
    form: &Form,
    packed: &[f32],
    mask: Option<(&DropoutMask, usize)>,
    probabilities: &mut [f32],
    results: &mut [f32],
) {
    let Form { time, size, .. } = *form;
    let mut scratch = vec![0.0; TILE.min(time) * time];
    let mut dropped = vec![0.0; if mask.is_some() { scratch.len() } else { 0 }];
    let mut kept = vec![0; dropped.len()];
    for head in 0..form.heads {
        for Tile { start, end, keys } in form.tiles() {
            let first = (head * time + start) * time;
            let rows = if probabilities.is_empty() {
                &mut scratch[..(end - start) * time]
            } else {
                &mut probabilities[first..first + (end - start) * time]
            };
            multiply(
                &mut MatrixMut::strided(rows, end - start, keys, time),
                Store::Set,
                form.part(packed, [head, 0], [start, end]),
                form.part(packed, [head, 1], [0, keys]).transposed(),
                Threads::One,
            );
            for (query, row) in (start..end).zip(rows.chunks_exact_mut(time)) {
                let (seen, unseen) = row.split_at_mut(form.seen(query));
                softmax_row(seen, form.scale());
                unseen.fill(0.0);
            }
            let weights = match mask {
                Some((mask, place)) => {
                    mask.keeps(place + first, &mut kept[..rows.len()]);
                    drop_marked(rows, &mut dropped, &kept, mask.factor());
                    &dropped
                }
                None => &*rows,
            };
            let stride = form.width();
            multiply(
                &mut MatrixMut::strided(
                    &mut results[start * stride + head * size..],
                    end - start,
                    size,
                    stride,
                ),
                Store::Set,
                Matrix::strided(weights, end - start, keys, time),
                form.part(packed, [head, 2], [0, keys]),
                Threads::One,
            );
        }
    }
}

/// The gradients of `packed`, all 0 before, from those of the results, `output`. `factor` is the dropout's, if there was one.
pub(super) fn back(
    form: &Form,
    packed: &[f32],
    probabilities: &[f32],
    factor: Option<f32>,
    output: &[f32],
    gradients: &mut [f32],
) {
    let Form { time, size, .. } = *form;
    let mut scratch = vec![0.0; TILE.min(time) * time];
    for head in 0..form.heads {
        for Tile { start, end, keys } in form.tiles() {
            let first = (head * time + start) * time;
            let probabilities = &probabilities[first..first + (end - start) * time];
            let scratch = &mut scratch[..(end - start) * time];
            let stride = form.width();
            let output = &output[start * stride + head * size..];
            let output = Matrix::strided(output, end - start, size, stride);

            let weights = match factor {
                Some(factor) => {
                    dropped_marked(scratch, probabilities, factor);
                    &*scratch
                }
                None => probabilities,
            };
            multiply(
                &mut form.part_mut(gradients, [head, 2], [0, keys]),
                Store::Add,
                Matrix::strided(weights, end - start, keys, time).transposed(),
                output,
                Threads::One,
            );
            multiply(
                &mut MatrixMut::strided(scratch, end - start, keys, time),
                Store::Set,
                output,
                form.part(packed, [head, 2], [0, keys]).transposed(),
                Threads::One,
            );
            let factor = factor.unwrap_or(1.0);
            let rows = scratch.chunks_exact_mut(time);
            for (query, (gradient, row)) in
                (start..end).zip(rows.zip(probabilities.chunks_exact(time)))
            {
                let (seen, unseen) = gradient.split_at_mut(form.seen(query));
                softmax_row_back(seen, &row[..seen.len()], form.scale(), factor);
                unseen.fill(0.0);
            }
            let scores = Matrix::strided(scratch, end - start, keys, time);
            multiply(
                &mut form.part_mut(gradients, [head, 0], [start, end]),
                Store::Set,
                scores,
                form.part(packed, [head, 1], [0, keys]),
                Threads::One,
            );
            multiply(
                &mut form.part_mut(gradients, [head, 1], [0, keys]),
                Store::Add,
                scores.transposed(),
                form.part(packed, [head, 0], [start, end]),
                Threads::One,
            );
        }
    }
}
