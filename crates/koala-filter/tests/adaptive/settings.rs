//! Configurations: defaults of its own, and faults by name.

use koala_filter::dense::Koala;
use koala_filter::{Config, Error, KoalaAConfig, WeightDecay};

#[test]
fn options_left_out_are_its_own_defaults() {
    let read = |json: &str| serde_json::from_str::<Config>(json).unwrap();
    assert_eq!(read(r#"{"koala-a": {}}"#), KoalaAConfig::new().into());
    let given = read(
        r#"{"koala-a": {"options": {"gain": 2.0, "weight-decay": {"rate": 0.1}}, "mean": null}}"#,
    );
    let expected = KoalaAConfig::new()
        .with_gain(2.0)
        .with_weight_decay(WeightDecay::decoupled(0.1))
        .with_mean(None);
    assert_eq!(given, expected.into());
    let unknown = serde_json::from_str::<Config>(r#"{"koala-a": {"options": {"gane": 2.0}}}"#);
    assert!(unknown.unwrap_err().to_string().contains("gane"));
    let written = serde_json::to_string(&Config::from(KoalaAConfig::new())).unwrap();
    assert_eq!(read(&written), KoalaAConfig::new().into());
}

#[test]
fn wrong_settings_are_refused_by_name() {
    let config = KoalaAConfig::new;
    let wrong: [(KoalaAConfig, &str); 10] = [
        (
            config().with_initial_process_noise(0.0),
            "initial-process-noise",
        ),
        (config().with_velocity_decay(1.1), "velocity-decay"),
        (
            config().with_second_moment_smoothing(1.0),
            "second-moment-smoothing",
        ),
        (
            config().with_whiteness_smoothing(-0.1),
            "whiteness-smoothing",
        ),
        (config().with_epsilon(f64::NAN), "epsilon"),
        (config().with_rates(-1.0, 0.1), "growth-rate"),
        (config().with_rates(0.1, f64::INFINITY), "decline-rate"),
        (config().with_rate_horizon(0.0), "rate-horizon"),
        (config().with_gradient_floor(-0.1), "gradient-floor"),
        (config().with_mean(Some(-1.0)), "mean"),
    ];
    for (config, name) in wrong {
        let error = Koala::<f64>::new(config, &[1]).unwrap_err();
        assert!(
            matches!(&error, Error::InvalidField { field, .. } if field == name),
            "{error}"
        );
    }
    let gain_only = config().with_weight_decay(WeightDecay::gain_only(0.1));
    let error = Koala::<f64>::new(gain_only, &[1]).unwrap_err();
    assert!(error.to_string().contains("gain-only"), "{error}");
}
