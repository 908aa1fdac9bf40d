//! Words of a command line as a shell takes them.

use std::path::Path;

/// A path as one word of a POSIX shell, and of PowerShell: within quotes where it needs them. One that no shell can take, with a NUL
/// byte, stays as it is.
pub fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    match shlex::try_quote(&text) {
        Ok(word) => word.into_owned(),
        Err(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        for (path, expected) in [
            ("runs/a-1.b", "runs/a-1.b"),
            ("sp ace/r", "'sp ace/r'"),
            ("it's", "\"it's\""),
            ("$HOME/*", "'$HOME/*'"),
            ("", "''"),
            ("a\0b", "a\0b"),
        ] {
            assert_eq!(quoted(Path::new(path)), expected);
        }
    }
}
