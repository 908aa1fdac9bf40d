//! Windows of a text for truncated back-propagation through time.

/// A text cut into rows of equal length that are read side by side, window by window: row r holds the tokens
/// `r n .. (r + 1) n`, and each token's target is the one after it. (The word language model example of PyTorch reads
/// its texts so.) At most `rows` tokens at the end are left out.
#[derive(Debug, Clone, Copy)]
pub struct TextWindows<'a> {
    text: &'a [u32],
    rows: usize,
    row: usize,
    length: usize,
    drop_last: bool,
}

/// One window of every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextWindow {
    /// Rows.
    pub rows: usize,
    /// Tokens in each.
    pub length: usize,
    /// Tokens, `[rows, length]` row by row.
    pub inputs: Vec<i64>,
    /// The token after each of them.
    pub targets: Vec<i64>,
}

impl<'a> TextWindows<'a> {
    /// Windows of `length` tokens in `rows` rows (fewer if the text is too short for them). Without `drop_last` the last
    /// window may be shorter.
    pub fn new(text: &'a [u32], rows: usize, length: usize, drop_last: bool) -> Self {
        let targets = text.len().saturating_sub(1);
        let rows = rows.clamp(1, targets.max(1));
        Self {
            text,
            rows,
            row: targets / rows,
            length: length.max(1),
            drop_last,
        }
    }

    /// Number of windows.
    pub fn count(&self) -> usize {
        if self.drop_last {
            self.row / self.length
        } else {
            self.row.div_ceil(self.length)
        }
    }

    /// Tokens in a window.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Window `index`, from 0; without tokens if there is none.
    pub fn window(&self, index: usize) -> TextWindow {
        let from = index.saturating_mul(self.length).min(self.row);
        let length = self.length.min(self.row - from);
        let mut window = TextWindow {
            rows: self.rows,
            length,
            inputs: Vec::with_capacity(self.rows * length),
            targets: Vec::with_capacity(self.rows * length),
        };
        for row in 0..self.rows {
            let start = row * self.row + from;
            let tokens = self.text.get(start..start + length + 1).unwrap_or_default();
            for pair in tokens.windows(2) {
                window.inputs.push(i64::from(pair[0]));
                window.targets.push(i64::from(pair[1]));
            }
        }
        window
    }
}

impl TextWindow {
    /// The same rows in pieces of at most `rows`, in order.
    pub fn pieces(self, rows: usize) -> Vec<Self> {
        if rows == 0 || rows >= self.rows || self.length == 0 {
            return vec![self];
        }
        let tokens = rows * self.length;
        let chunks = self.inputs.chunks(tokens).zip(self.targets.chunks(tokens));
        chunks
            .map(|(inputs, targets)| Self {
                rows: inputs.len() / self.length,
                length: self.length,
                inputs: inputs.to_vec(),
                targets: targets.to_vec(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows_follow_themselves_and_targets_are_one_ahead() {
        let text: Vec<u32> = (0..12).collect();
        let windows = TextWindows::new(&text, 2, 3, false);
        assert_eq!(windows.count(), 2);
        let first = windows.window(0);
        assert_eq!(first.inputs, [0, 1, 2, 5, 6, 7]);
        assert_eq!(first.targets, [1, 2, 3, 6, 7, 8]);
        let last = windows.window(1);
        assert_eq!((last.length, last.inputs), (2, vec![3, 4, 8, 9]));
        assert_eq!(last.targets, [4, 5, 9, 10]);
        assert_eq!(TextWindows::new(&text, 2, 3, true).count(), 1);
    }

    proptest! {
        #[test]
        fn every_token_is_predicted_at_most_once(tokens in 0usize..200, rows in 0usize..20, length in 0usize..20, drop_last: bool) {
            let text: Vec<u32> = (0..tokens as u32).collect();
            let windows = TextWindows::new(&text, rows, length, drop_last);
            let mut seen = Vec::new();
            for index in 0..windows.count() {
                let window = windows.window(index);
                prop_assert_eq!(window.inputs.len(), window.rows * window.length);
                prop_assert!(window.length > 0);
                for (input, target) in window.inputs.iter().zip(&window.targets) {
                    prop_assert_eq!(input + 1, *target);
                    seen.push(*target);
                }
            }
            let found = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), found);
            if !drop_last {
                prop_assert!(found + rows.max(1) >= tokens.saturating_sub(1));
            }
            prop_assert_eq!(windows.window(windows.count() + 5).inputs.len(), 0);
        }

        #[test]
        fn pieces_are_the_whole(rows in 1usize..9, size in 0usize..12) {
            let text: Vec<u32> = (0..100).collect();
            let window = TextWindows::new(&text, rows, 4, false).window(1);
            let pieces = window.clone().pieces(size);
            prop_assert!(size == 0 || pieces.iter().all(|p| p.rows <= size));
            prop_assert_eq!(pieces.iter().map(|p| p.rows).sum::<usize>(), rows);
            let targets: Vec<i64> = pieces.into_iter().flat_map(|p| p.targets).collect();
            prop_assert_eq!(targets, window.targets);
        }
    }
}
