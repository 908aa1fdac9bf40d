//! How wide words are, as near as one can tell without the reader's fonts.

/// Width at the size of words in a drawing, in a font as wide as any that systems have (DejaVu Sans, 13 px): others leave room.
pub(in crate::page) fn width(text: &str) -> f64 {
    text.chars().map(letter).sum()
}

fn letter(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' | 'I' => 4.4,
        'f' | 't' | 'r' | ' ' | '(' | ')' | '[' | ']' | '/' | '-' => 5.4,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 12.9,
        'A'..='Z' | '−' | '+' | '=' | '±' | '<' | '>' | '~' | '↑' | '↓' => 10.9,
        _ if letter.is_ascii() => 8.3,
        // Ideographs and what else may be as wide as high.
        _ => 13.0,
    }
}

/// Bold words are a little wider.
pub(in crate::page) const BOLD: f64 = 1.1;

/// A text of at most this width, cut in the middle where it is wider: names of arms differ at their ends.
pub(in crate::page) fn cut(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let mut left = most - letter('…');
    let mut fits = |letter: char| {
        left -= self::letter(letter);
        left >= 0.0
    };
    let (mut start, mut end) = (0, letters.len());
    // Not all of them fit, so that the ends do not meet.
    while start + 1 < end && fits(letters[start]) {
        start += 1;
        if start + 1 < end && fits(letters[end - 1]) {
            end -= 1;
        } else {
            break;
        }
    }
    let kept = letters[..start].iter().chain(&['…']);
    kept.chain(&letters[end..]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_fits_and_has_the_same_ends(text in "[^\\p{C}…]{0,60}", most in 13.0f64..300.0) {
            let found = cut(&text, most);
            prop_assert!(width(&found) <= most + 1e-9);
            if found != text {
                let (start, end) = found.split_once('…').unwrap();
                prop_assert!(text.starts_with(start) && text.ends_with(end));
                prop_assert!(start.chars().count() + end.chars().count() < text.chars().count());
            }
        }
    }

    #[test]
    fn arms_that_differ_at_their_ends_are_told_apart() {
        let [first, second] =
            ["adamw:learning-rate=0.01", "adamw:learning-rate=0.03"].map(|name| cut(name, 120.0));
        assert!(first != second && first.starts_with("adamw:") && first.ends_with("0.01"));
    }
}
