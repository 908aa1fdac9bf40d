//! Data of one's own are known by what they are.

use koala_data::{Parting, Table};
use koala_train::own::OwnData;
use koala_train::run::{DatasetSpec, ModelSpec, RunConfig};

use super::support::{line, table, version_of_line, with};

/// What a configuration tells of what is one's own is what its identity rests on.
#[test]
fn other_rows_or_another_version_are_another_configuration() {
    let of = |rows: Table, version: &str| {
        let mut config = with(line(), 20);
        let data = OwnData::drawn("plane", rows, Parting::default()).unwrap();
        config.dataset = DatasetSpec::Own(data);
        config.model = ModelSpec::Own(version_of_line(version));
        config.to_toml()
    };
    let mut targets = table(20).targets().to_vec();
    targets[7] += 1e-3;
    let features = (0..20)
        .flat_map(|row| table(20).row(row).to_vec())
        .collect();
    let changed = Table::new(2, features, targets).unwrap();
    let first = of(table(20), "1");
    assert_eq!(first, of(table(20), "1"));
    assert!(first.contains("name = \"plane\"\nsha256 = \""), "{first}");
    assert_ne!(first, of(changed, "1"));
    assert_ne!(first, of(table(20), "2"));
    // Nothing in a file can name them.
    let text = RunConfig::parse(&first, "configuration x.toml", &[]);
    let text = text.unwrap_err().to_string();
    assert!(text.contains("no dataset is called 'plane'"), "{text}");
}
