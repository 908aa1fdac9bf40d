//! Words of a command line as a shell takes them.

use std::path::Path;

/// A path as a shell takes it: within quotes if it holds more than letters, digits and what stands in most paths.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+,:@%\\".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with('-') {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (path, expected) in [
            ("runs/a-1.b", "runs/a-1.b"),
            ("sp ace/r", "'sp ace/r'"),
            ("it's", r"'it'\''s'"),
            ("-v", "'-v'"),
            ("$HOME/*", "'$HOME/*'"),
            ("", "''"),
            (r"C:\runs\a", r"C:\runs\a"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
