//! Data within a page.

use koala_system::visible_json;
use serde::Serialize;

/// JSON that may stand in a `script` element: nothing in it can end the element or a line of JavaScript.
pub(super) fn json(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let text = visible_json(&serde_json::to_string(value)?);
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' => {
                safe.push_str(&format!("\\u{:04x}", letter as u32));
            }
            other => safe.push(other),
        }
    }
    Ok(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_element() {
        let hostile = "</script><!-- &\u{2028}\u{2029}\"'";
        let text = json(&hostile).unwrap();
        assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']));
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), hostile);
    }
}
