//! What cannot be one's own is refused with its remedy.

use koala_data::{Parting, Share, Split};
use koala_train::own::{OwnData, OwnModel, OwnOptimizer};
use koala_train::run::RunConfig;
use toml::Table as Options;

use super::networks::wrapped;
use super::rules::{Descent, descent};
use super::support::{Line, table, with};

#[test]
fn what_cannot_be_your_own_is_refused_with_its_remedy() {
    let rule = |momentum| Descent {
        learning_rate: 0.1,
        momentum,
    };
    let optimizer = |name: &str, version: &str, momentum: f64| {
        let own = OwnOptimizer::new(name, version, rule(momentum));
        own.unwrap_err().to_string()
    };
    assert_eq!(
        optimizer("adamw", "1", 0.9),
        "your optimizer 'adamw': the name is taken by one of Koala's own: give another, such as my-adamw"
    );
    assert_eq!(
        optimizer("koala-z", "1", 0.9),
        "your optimizer 'koala-z': names that begin with 'koala' are held to be KOALA's: give another"
    );
    assert_eq!(
        optimizer("de scent", "1", 0.9),
        "your optimizer 'de scent': its name must be of letters, digits, '-', '_' and '.', at most 100 of them, and not begin with '.', \
         not 'de scent'"
    );
    assert!(optimizer("descent", "", 0.9).contains("its version must be"));
    assert_eq!(
        optimizer("descent", "1", 1.0),
        "your optimizer 'descent': momentum must be below 1"
    );
    assert_eq!(
        optimizer("descent", "1", f64::NAN),
        "your optimizer 'descent': momentum must be finite, not nan"
    );
    let options = |text: &str| descent().with_options(&text.parse::<Options>().unwrap());
    let refused = |text: &str| {
        let (key, fault) = options(text).unwrap_err();
        format!("{key}: {fault}")
    };
    assert_eq!(
        refused("momentun = 0.5"),
        "momentun: is no option of descent, did you mean 'momentum'?"
    );
    assert_eq!(
        refused("momentum = 'much'"),
        "momentum: must be a number, not \"much\""
    );
    assert_eq!(refused("momentum = 2"), "momentum: must be below 1");
    let changed = options("momentum = 0.5\nlearning-rate = 1").unwrap();
    assert!(changed != descent() && options("momentum = 0.9").unwrap() == descent());
    assert_eq!(
        toml::to_string(&changed).unwrap(),
        "name = \"descent\"\nversion = \"1\"\nlearning-rate = 1.0\nmomentum = 0.5\n"
    );

    let data = |name: &str, test: Share| {
        let parting = Parting {
            test,
            ..Parting::default()
        };
        let own = OwnData::drawn(name, table(20), parting);
        own.unwrap_err().to_string()
    };
    assert!(data("digits", Share::Count(4)).contains("the name is taken"));
    assert_eq!(
        data("plane", Share::Count(0)),
        "your data 'plane': there is no sample to test on: give more, or part them otherwise, such as a fifth to test on"
    );
    assert!(data("plane", Share::Count(20)).contains("leave nothing to train on of 20 samples"));
    let empty = Split::new(table(0), table(3));
    let text = OwnData::parted("plane", empty).unwrap_err().to_string();
    assert!(text.contains("no sample to train on"), "{text}");
    let model = OwnModel::new("gpt", "1", |draws| Line::new(draws));
    assert!(model.unwrap_err().to_string().contains("the name is taken"));

    // Rows with numbers for a network of classes.
    let mut config = with(wrapped(), 30);
    let text = config.load().unwrap_err().to_string();
    assert_eq!(
        text,
        "the model 'wrapped' does not fit the dataset 'plane': it learns from rows with classes: give it some, or say what it learns \
         from in its `type Samples`"
    );
    config.dataset = RunConfig::resolve(None, &[]).unwrap().dataset;
    let text = config.load().unwrap_err().to_string();
    assert!(text.contains("the data are images"), "{text}");
}
