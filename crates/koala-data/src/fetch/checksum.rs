//! SHA-256 of files.

use std::io::Result;
use std::path::Path;

use koala_system::Entry;

/// The SHA-256 of a file's content, in lower-case hexadecimal digits.
///
/// # Errors
///
/// What the operating system says if the file cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    Ok(Entry::of_file(path)?.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_example() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "abc").unwrap();
        // FIPS 180-4.
        assert_eq!(
            sha256(file.path()).unwrap(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert!(sha256(Path::new("nowhere")).is_err());
    }
}
