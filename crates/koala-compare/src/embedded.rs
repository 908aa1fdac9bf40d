//! The suites that the program brings along.

/// The names of all embedded suites.
pub const SUITES: [&str; 4] = ["digits", "four", "untuned", "cheap"];

/// The text of the embedded suite of this name.
pub fn suite_text(name: &str) -> Option<&'static str> {
    Some(match name {
        "digits" => include_str!("../suites/digits.toml"),
        "four" => include_str!("../suites/four.toml"),
        "untuned" => include_str!("../suites/untuned.toml"),
        "cheap" => include_str!("../suites/cheap.toml"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Suite;

    #[test]
    fn every_file_is_embedded_under_the_name_that_it_gives_itself() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/suites");
        let files = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<String> = files
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let mut names = SUITES.map(|name| format!("{name}.toml"));
        names.sort();
        assert_eq!(files, names);
        for name in SUITES {
            let suite = Suite::find(name.as_ref()).unwrap();
            assert_eq!(
                (suite.name.as_str(), suite.source),
                (name, format!("koala compare {name}"))
            );
            assert!(suite.about.is_some(), "{name}");
        }
    }
}
