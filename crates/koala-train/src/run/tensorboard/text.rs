//! Texts on TensorBoard's text dashboard.

use super::proto::Value;

/// A text to be shown letter by letter: Markdown's indented code, which nothing in it can end.
pub(super) fn literal(tag: &str, text: &str) -> Value {
    let mut markdown = String::with_capacity(text.len());
    for line in text.lines() {
        markdown.push_str("    ");
        markdown.push_str(line);
        markdown.push('\n');
    }
    Value::string(tag, "text", markdown.into_bytes())
}
