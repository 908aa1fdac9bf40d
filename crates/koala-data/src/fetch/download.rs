//! Downloading one file, going on where an earlier try has stopped.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use koala_system::{LogFile, remove_file};
use ureq::Agent;
use ureq::http::Response;

use super::{FetchError, Watcher};
use crate::Interrupt;

/// Longest file of unknown size that is taken: those are texts of a few megabytes.
const LIMIT: u64 = 1 << 26;
/// Times a broken connection is taken up again, as long as each brings something.
const TRIES: u32 = 5;

/// The client: to an original host by HTTPS only.
pub(super) fn agent(https_only: bool) -> Agent {
    Agent::config_builder()
        .https_only(https_only)
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_per_read(Some(Duration::from_secs(60)))
        .user_agent(concat!("koala/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// A file to download.
pub(super) struct Download<'a> {
    pub agent: &'a Agent,
    pub url: &'a str,
    /// Its size, if it is known.
    pub size: Option<u64>,
    /// Where it comes to lie; what is there already is taken for its beginning.
    pub part: &'a Path,
    pub interrupt: &'a Interrupt,
}

impl Download<'_> {
    /// Downloads what is still missing. The part is kept if that fails, unless it cannot be the beginning of the file.
    ///
    /// # Errors
    ///
    /// [`FetchError`].
    pub fn run(&self, watcher: &mut dyn Watcher) -> Result<(), FetchError> {
        let mut tries = 0;
        loop {
            let before = self.have();
            if self.size.is_some_and(|size| before == size) {
                return Ok(());
            }
            let cause = match self.attempt(before, watcher)? {
                None => return Ok(()),
                Some(cause) => cause,
            };
            tries += 1;
            if tries >= TRIES || self.have() <= before {
                return Err(FetchError::Network {
                    url: self.url.to_owned(),
                    cause,
                });
            }
        }
    }

    /// Bytes that have come before.
    fn have(&self) -> u64 {
        self.part.metadata().map_or(0, |data| data.len())
    }

    /// One request; gives back why the connection broke if it did.
    fn attempt(&self, have: u64, watcher: &mut dyn Watcher) -> Result<Option<String>, FetchError> {
        let mut request = self.agent.get(self.url);
        if have > 0 {
            request = request.header("Range", format!("bytes={have}-"));
        }
        let response = match request.call() {
            Ok(response) => response,
            Err(cause) => return Ok(Some(cause.to_string())),
        };
        let from = match response.status().as_u16() {
            200 => 0,
            206 if starts_at(&response, have) => have,
            // The part is no beginning of this file, or all of it: begin anew, the checksum tells.
            206 | 416 if have > 0 => {
                self.throw_away()?;
                return self.attempt(0, watcher);
            }
            status => {
                return Err(FetchError::Status {
                    url: self.url.to_owned(),
                    status,
                });
            }
        };
        let length = response.body().content_length();
        // All that the host says there is: less than the file has is another file, and no connection that broke.
        let honest = length.map(|length| from + length);
        let total = self.size.or(length.map(|length| from + length));
        watcher.begin(self.url, from, total);
        let mut file = self.open(from)?;
        let limit = self.size.unwrap_or(LIMIT);
        let broken = self.copy(
            &mut response.into_body().into_reader(),
            &mut file,
            limit.saturating_sub(from),
            watcher,
        )?;
        let have = file
            .sync()
            .map_err(FetchError::file(self.part, "write it"))?;
        let Some(size) = self.size.filter(|size| have < *size) else {
            return Ok(broken);
        };
        match broken {
            None if honest == Some(have) => {
                drop(file);
                self.throw_away()?;
                match from {
                    0 => Err(FetchError::TooShort {
                        url: self.url.to_owned(),
                        expected: size,
                        found: have,
                    }),
                    // The part may have been of yet another file.
                    _ => self.attempt(0, watcher),
                }
            }
            None => Ok(Some("the host closed the connection too early".to_owned())),
            broken => Ok(broken),
        }
    }

    fn throw_away(&self) -> Result<(), FetchError> {
        remove_file(self.part).map_err(FetchError::file(self.part, "remove it"))
    }

    fn open(&self, from: u64) -> Result<LogFile, FetchError> {
        let file = match from {
            0 => LogFile::create(self.part),
            _ => LogFile::open(self.part),
        };
        file.map_err(FetchError::file(self.part, "write it"))
    }

    fn copy(
        &self,
        body: &mut impl Read,
        file: &mut LogFile,
        limit: u64,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<String>, FetchError> {
        let mut buffer = vec![0; 1 << 16];
        let mut come = 0u64;
        loop {
            if self.interrupt.is_set() {
                return Err(FetchError::Interrupted {
                    part: self.part.to_owned(),
                });
            }
            let count = match body.read(&mut buffer) {
                Ok(0) => return Ok(None),
                Ok(count) => count,
                Err(cause) => return Ok(Some(cause.to_string())),
            };
            come += count as u64;
            if come > limit {
                // It cannot be the file that was asked for.
                let _ = remove_file(self.part);
                return Err(FetchError::TooLong {
                    url: self.url.to_owned(),
                    expected: self.size.unwrap_or(LIMIT),
                });
            }
            file.append(buffer.get(..count).unwrap_or_default())
                .map_err(FetchError::file(self.part, "write it"))?;
            watcher.advance(count as u64);
        }
    }
}

/// Whether the answer is the rest from this byte on.
fn starts_at(response: &Response<ureq::Body>, have: u64) -> bool {
    response
        .headers()
        .get("content-range")
        .and_then(|range| range.to_str().ok())
        .and_then(|range| range.trim().strip_prefix("bytes "))
        .and_then(|range| range.split_once('-'))
        .is_some_and(|(start, _)| start.trim().parse() == Ok(have))
}
