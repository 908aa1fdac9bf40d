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

/// A text of at most this width, cut where it is wider.
pub(in crate::page) fn cut(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    let mut left = most - letter('…');
    let fits = |letter: &char| {
        left -= self::letter(*letter);
        left >= 0.0
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_cut_fits_and_begins_alike(text in "\\PC{0,60}", most in 13.0f64..300.0) {
            let found = cut(&text, most);
            prop_assert!(width(&found) <= most + 1e-9);
            prop_assert!(found == text || text.starts_with(found.trim_end_matches('…')));
        }
    }
}
