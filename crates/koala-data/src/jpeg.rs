//! Whether a JPEG file is whole: decoders fill what is missing with grey, and say nothing.

/// Whether the marker of the end stands where the data of the picture end.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    // After the marker of the beginning.
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        // Bytes of 0xff may stand before any marker. In the data of a picture, 0xff is followed by 0 where it is a value,
        // and by 0xd0 to 0xd7 where the decoder begins anew.
        let Some(at) = rest.iter().position(|byte| *byte == 0xff) else {
            return false;
        };
        rest = &rest[at + 1..];
        match rest {
            [] => return false,
            [0xff, ..] => {}
            [0 | 1 | 0xd0..=0xd8, ..] => rest = &rest[1..],
            [0xd9, ..] => return true,
            // What is said of the picture has a length, and may hold a small picture with an end of its own.
            [_, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let Some(next) = rest.get(1 + length..) else {
                    return false;
                };
                rest = next;
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_end_of_a_picture_within_is_not_the_end() {
        let start = [0xff, 0xd8];
        let about = [0xff, 0xe1, 0, 6, 0xff, 0xd8, 0xff, 0xd9];
        let data = [0xff, 0xda, 0, 3, 9, 1, 0xff, 0, 0xff, 0xd0, 2];
        let cut = [&start[..], &about, &data].concat();
        assert!(!is_whole(&cut));
        assert!(is_whole(&[&cut[..], &[0xff, 0xff, 0xd9]].concat()));
        assert!(is_whole(&[&cut[..], &[0xff, 0xd9], b"more"].concat()));
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(prop_oneof![Just(0xffu8), any::<u8>()], 0..99)) {
            let _ = is_whole(&bytes);
        }
    }
}
