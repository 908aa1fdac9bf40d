//! Text of others, made visible.
//!
//! Names, messages and paths come from files, and files come from anywhere. What steers a terminal, turns the direction of
//! writing or has no width is written as it would be in a program, `\u{1b}`, so that it is seen and does nothing.

/// Whether a character does something else than be seen: those that control terminals (C0, C1, DEL), those that turn the
/// direction of writing (Unicode's bidirectional controls, see "Trojan Source"), line ends of Unicode, and those without width,
/// but for the joiners that scripts and pictures are made with.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Text of others on one line.
pub fn visible(text: &str) -> String {
    shown(text, |_| false)
}

/// Text whose ends of lines and tabulators are our own, such as a table.
pub fn visible_lines(text: &str) -> String {
    shown(text, |letter| matches!(letter, '\n' | '\t'))
}

fn shown(text: &str, as_it_is: impl Fn(char) -> bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) && !as_it_is(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// JSON of the same value: within its texts, JSON's own notation does.
pub fn visible_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    let mut units = [0; 2];
    for letter in json.chars() {
        // Outside of texts JSON has these as white space; within them they are escaped already.
        if is_hidden(letter) && !matches!(letter, '\n' | '\t' | '\r') {
            for unit in letter.encode_utf16(&mut units) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What each kind of hostile text does: colours, title and clipboard of a terminal, C1's own escape, a name that is read
    /// backwards, one that looks like another.
    const HOSTILE: &str =
        "a\u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J\u{202e}txt.exe\u{2066}\u{200b}\r\u{8}\u{7f}\u{e0041}";

    #[test]
    fn what_steers_is_seen() {
        let text = visible(HOSTILE);
        assert_eq!(
            text,
            "a\\u{1b}[31m\\u{1b}]0;x\\u{7}\\u{9b}2J\\u{202e}txt.exe\\u{2066}\\u{200b}\\r\\u{8}\\u{7f}\\u{e0041}"
        );
        assert_eq!(visible("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(visible_lines("a\nb\tc\rd"), "a\nb\tc\\rd");
        // Letters of every script stay what they are, and joined pictures whole.
        for text in [
            "déjà",
            "مرحبا",
            "שלום",
            "👩\u{200d}🔬",
            "می\u{200c}خواهم",
            "コアラ",
            "−1.5 ± 2 %",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    proptest! {
        #[test]
        fn json_keeps_its_value(text in any::<String>()) {
            let value = serde_json::json!({ (text.clone() + HOSTILE): [text.clone(), HOSTILE] });
            let shown = visible_json(&serde_json::to_string_pretty(&value).unwrap());
            prop_assert!(!shown.chars().any(|letter| is_hidden(letter) && letter != '\n'));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }

        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(!visible(&(text + HOSTILE)).chars().any(is_hidden));
        }
    }
}
