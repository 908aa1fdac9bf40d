//! Records: how an event file frames its messages.
//!
//! A record is the message's length (u64), the masked CRC-32C of these eight bytes (u32), the message, and the masked
//! CRC-32C of the message (u32), all little-endian. Source: TensorFlow, `tensorflow/core/lib/io/record_writer.h`.

use std::io::{self, Read};

/// Bytes of a record before its message.
const HEADER: usize = 12;

/// Longest message that is written or read, in bytes: far beyond any event, and memory that can be had.
pub(super) const LONGEST: u64 = 1 << 28;

/// CRC-32C, rotated and shifted so that a checksum of data that holds checksums is still a good one.
fn masked_crc(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Appends the record of a message.
pub(super) fn frame(message: &[u8], bytes: &mut Vec<u8>) {
    let length = (message.len() as u64).to_le_bytes();
    bytes.extend(length);
    bytes.extend(masked_crc(&length).to_le_bytes());
    bytes.extend(message);
    bytes.extend(masked_crc(message).to_le_bytes());
}

/// Why a file has no further record.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It ends in the middle of a record.
    #[error("the file ends in the middle of the record that begins at byte {0}")]
    Cut(u64),
    /// A checksum does not match.
    #[error("the record that begins at byte {0} is damaged")]
    Damaged(u64),
}

/// Reads a file record by record. Not one byte of it is believed before its checksum has been.
#[derive(Debug)]
pub(super) struct Records<R> {
    file: R,
    end: u64,
    message: Vec<u8>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(file: R) -> Self {
        Self {
            file,
            end: 0,
            message: Vec::new(),
        }
    }

    /// The next message; none at the end of the file. After an error there is nothing left to ask for.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, RecordError> {
        let header = self.take(HEADER as u64)?;
        if header == 0 {
            return Ok(None);
        }
        let Some((length, crc)) = self.message.split_first_chunk::<8>() else {
            return Err(RecordError::Cut(self.end));
        };
        if header < HEADER as u64 {
            return Err(RecordError::Cut(self.end));
        }
        let length_of_message = u64::from_le_bytes(*length);
        if crc != masked_crc(length).to_le_bytes() || length_of_message > LONGEST {
            return Err(RecordError::Damaged(self.end));
        }
        let rest = length_of_message + 4;
        if self.take(rest)? < rest {
            return Err(RecordError::Cut(self.end));
        }
        let Some((message, crc)) = self.message.split_last_chunk::<4>() else {
            return Err(RecordError::Cut(self.end));
        };
        if *crc != masked_crc(message).to_le_bytes() {
            return Err(RecordError::Damaged(self.end));
        }
        self.end += HEADER as u64 + rest;
        Ok(Some(message))
    }

    /// Reads so many bytes, or as many as there are; memory grows with what comes, not with what is promised.
    fn take(&mut self, bytes: u64) -> io::Result<u64> {
        self.message.clear();
        self.file
            .by_ref()
            .take(bytes)
            .read_to_end(&mut self.message)
            .map(|read| read as u64)
    }
}

/// The last record of a file, or of its beginning.
#[derive(Debug, Default)]
pub(super) struct Last {
    /// Where it ends, in bytes from the start; 0 if there is none.
    pub(super) end: u64,
    /// Its message.
    pub(super) message: Vec<u8>,
}

/// The last whole record that ends at or before byte `limit`. What follows a damaged record does not count: no reader would
/// get there.
///
/// # Errors
///
/// [`io::Error`] if the file cannot be read.
pub(super) fn last(file: impl Read, limit: u64) -> io::Result<Last> {
    let mut records = Records::new(file.take(limit));
    let mut last = Last::default();
    loop {
        match records.next() {
            Ok(Some(message)) => {
                last.message.clear();
                last.message.extend(message);
                last.end = records.end;
            }
            Ok(None) | Err(RecordError::Cut(_) | RecordError::Damaged(_)) => return Ok(last),
            Err(RecordError::File(cause)) => return Err(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn framed(messages: &[Vec<u8>]) -> (Vec<u8>, Vec<u64>) {
        let mut bytes = Vec::new();
        let ends = messages
            .iter()
            .map(|message| {
                frame(message, &mut bytes);
                bytes.len() as u64
            })
            .collect();
        (bytes, ends)
    }

    fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), RecordError>) {
        let mut records = Records::new(bytes);
        let mut messages = Vec::new();
        loop {
            match records.next() {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => return (messages, Ok(())),
                Err(error) => return (messages, Err(error)),
            }
        }
    }

    /// Number of records before the one that holds this byte.
    fn before(ends: &[u64], byte: u64) -> usize {
        ends.iter().take_while(|end| **end <= byte).count()
    }

    /// RFC 3720, B.4, and the check value of the catalogue of CRC algorithms.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c::crc32c(&[0xff; 32]), 0x62a8_ab43);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c::crc32c(&ascending), 0x46dd_794e);
        // As TensorBoard masks it.
        assert_eq!(masked_crc(b"123456789"), 0xc78a_b0e5);
        // A CRC of 0, of no data at all.
        assert_eq!(masked_crc(b""), 0xa282_ead8);
    }

    #[test]
    fn a_promised_length_takes_no_memory() {
        for length in [LONGEST, LONGEST + 1, u64::MAX] {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.extend(masked_crc(&length.to_le_bytes()).to_le_bytes());
            let mut records = Records::new(bytes.as_slice());
            let error = records.next().unwrap_err();
            assert!(
                matches!(error, RecordError::Cut(0) | RecordError::Damaged(0)),
                "{error}"
            );
            assert!(records.message.capacity() < 1 << 16);
        }
    }

    proptest! {
        #[test]
        fn records_read_back(messages in vec(vec(any::<u8>(), 0..40), 0..6)) {
            let (bytes, ends) = framed(&messages);
            let last = last(bytes.as_slice(), u64::MAX).unwrap();
            prop_assert_eq!(last.end, ends.last().copied().unwrap_or(0));
            prop_assert_eq!(last.message, messages.last().cloned().unwrap_or_default());
            let (found, end) = read(&bytes);
            prop_assert_eq!(found, messages);
            prop_assert!(end.is_ok());
        }

        #[test]
        fn a_changed_byte_is_found_wherever_it_is(
            messages in vec(vec(any::<u8>(), 0..40), 1..6),
            position in any::<proptest::sample::Index>(),
            change in 1u8..,
        ) {
            let (mut bytes, ends) = framed(&messages);
            let byte = position.index(bytes.len());
            bytes[byte] ^= change;
            let whole = before(&ends, byte as u64);
            let (found, end) = read(&bytes);
            prop_assert!(matches!(end, Err(RecordError::Damaged(_))), "{end:?}");
            prop_assert_eq!(&found, &messages[..whole]);
            let expected = if whole == 0 { 0 } else { ends[whole - 1] };
            prop_assert_eq!(last(bytes.as_slice(), u64::MAX).unwrap().end, expected);
        }

        #[test]
        fn a_cut_leaves_the_records_before_it(
            messages in vec(vec(any::<u8>(), 0..40), 1..6),
            position in any::<proptest::sample::Index>(),
        ) {
            let (bytes, ends) = framed(&messages);
            let cut = position.index(bytes.len());
            let expected = match before(&ends, cut as u64) {
                0 => 0,
                whole => ends[whole - 1],
            };
            prop_assert_eq!(last(&bytes[..cut], u64::MAX).unwrap().end, expected);
            prop_assert_eq!(last(bytes.as_slice(), cut as u64).unwrap().end, expected);
            let (_, end) = read(&bytes[..cut]);
            prop_assert_eq!(end.is_err(), expected != cut as u64);
        }

        #[test]
        fn any_bytes_give_an_answer(bytes in vec(any::<u8>(), 0..60)) {
            let _ = read(&bytes);
        }
    }
}
