//! Lines of a log, one at a time and none longer than a limit.

use std::io::{BufRead, Result};

/// A line of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// A whole line without its end.
    Whole(&'a [u8]),
    /// What stands after the last line end: a line that is being written, or was when its run was killed. Empty above the limit.
    Unfinished(&'a [u8]),
    /// A line above the limit, of which nothing was kept.
    TooLong,
}

/// Reads lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    source: R,
    limit: usize,
    line: Vec<u8>,
    read: u64,
    whole: u64,
}

impl<R: BufRead> Lines<R> {
    /// Lines of `source` of at most `limit` bytes.
    pub(super) fn new(source: R, limit: usize) -> Self {
        Self {
            source,
            limit,
            line: Vec::new(),
            read: 0,
            whole: 0,
        }
    }

    /// Bytes of the source up to the end of the last line that has one: where to go on when it has grown.
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    /// The next line; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>> {
        self.line.clear();
        let mut long = false;
        let mut any = false;
        loop {
            let held = self.source.fill_buf()?;
            if held.is_empty() {
                return Ok(any.then_some(Line::Unfinished(&self.line)));
            }
            any = true;
            let end = held.iter().position(|byte| *byte == b'\n');
            let part = &held[..end.unwrap_or(held.len())];
            if long || self.line.len() + part.len() > self.limit {
                long = true;
                self.line.clear();
            } else {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(held.len(), |at| at + 1);
            self.source.consume(used);
            self.read += used as u64;
            if end.is_some() {
                self.whole = self.read;
                return Ok(Some(if long {
                    Line::TooLong
                } else {
                    Line::Whole(&self.line)
                }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::BufReader;

    fn all(text: &[u8], limit: usize, buffer: usize) -> Vec<String> {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, text), limit);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(match line {
                Line::Whole(line) => format!("whole {}", String::from_utf8_lossy(line)),
                Line::Unfinished(line) => format!("unfinished {}", String::from_utf8_lossy(line)),
                Line::TooLong => "too long".to_owned(),
            });
        }
        found
    }

    #[test]
    fn a_line_above_the_limit_is_left_out_and_the_next_is_read() {
        assert_eq!(
            all(b"abc\nabcd\n\nab", 3, 2),
            ["whole abc", "too long", "whole ", "unfinished ab"]
        );
        assert_eq!(all(b"abcd", 3, 100), ["unfinished "]);
        assert!(all(b"", 3, 1).is_empty());
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "[ab\n]{0,60}", buffer in 1usize..9) {
            let found = all(text.as_bytes(), 100, buffer);
            let mut expected: Vec<String> = text.split('\n').map(|line| format!("whole {line}")).collect();
            let last = expected.pop().unwrap();
            if last != "whole " {
                expected.push(last.replace("whole", "unfinished"));
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn whole_lines_are_counted_in_bytes(text in "[ab\n]{0,60}", buffer in 1usize..9) {
            let mut lines = Lines::new(BufReader::with_capacity(buffer, text.as_bytes()), 2);
            while lines.next().unwrap().is_some() {}
            prop_assert_eq!(lines.whole(), text.rfind('\n').map_or(0, |at| at as u64 + 1));
        }
    }
}
