//! Stored states: what they hold, and what happens when they are damaged, foreign, or another optimizer's.

#![allow(clippy::unwrap_used, clippy::panic)] // a failed test may say so as it likes

use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Tensor};
use koala_burn::{
    Config, Error, Group, Koala, KoalaAConfig, KoalaMConfig, KoalaPpConfig, KoalaVConfig, Metric,
    ParameterGroup, Partition, PositionNoise,
};
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

fn model(inputs: usize) -> Linear {
    LinearConfig::new(inputs, 3).init(&Device::flex().autodiff())
}

fn trained(config: impl Into<Config>, model: &mut Linear) -> Koala {
    let mut optimizer = Koala::new(config, model).unwrap();
    for _ in 0..3 {
        optimizer.predict(model).unwrap();
        let input = Tensor::<2>::ones([5, 4], &Device::flex().autodiff());
        let losses = model.forward(input).square().mean_dim(1).reshape([5]);
        let gradients = GradientsParams::from_grads(losses.clone().mean().backward(), model);
        optimizer.update(model, gradients, losses).unwrap();
    }
    optimizer
}

#[test]
fn vectors_are_named_after_their_parameters() {
    let cases: [(Config, &[&str]); 6] = [
        (KoalaVConfig::new().into(), &[]),
        (
            KoalaMConfig::new().into(),
            &[
                "bias/average",
                "bias/velocity",
                "weight/average",
                "weight/velocity",
            ],
        ),
        (
            KoalaMConfig::new()
                .with_position_noise(PositionNoise::Fixed(1e-3))
                .into(),
            &["bias/velocity", "weight/velocity"],
        ),
        (
            KoalaPpConfig::new().into(),
            &[
                "bias/covariance",
                "bias/gradient",
                "weight/covariance",
                "weight/gradient",
            ],
        ),
        (
            KoalaAConfig::new().into(),
            &[
                "bias/mean",
                "bias/second-moment",
                "bias/velocity",
                "weight/mean",
                "weight/second-moment",
                "weight/velocity",
            ],
        ),
        (
            KoalaAConfig::new().with_metric(Metric::None).into(),
            &[
                "bias/mean",
                "bias/velocity",
                "weight/mean",
                "weight/velocity",
            ],
        ),
    ];
    for (config, expected) in cases {
        let mut model = model(4);
        let optimizer = trained(config, &mut model);
        let bytes = optimizer.to_bytes(&model).unwrap();
        assert_eq!(
            bytes,
            optimizer.to_bytes(&model).unwrap(),
            "the same bytes every time"
        );
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut names = tensors.names();
        names.sort_unstable();
        assert_eq!(names, expected);
        if let Ok(velocity) = tensors.tensor("weight/velocity") {
            assert_eq!(velocity.shape(), [4, 3]);
        }
        let again = Koala::from_bytes(&bytes, &model).unwrap();
        assert_eq!(again.filter(), optimizer.filter());
        assert_eq!(again.to_bytes(&model).unwrap(), bytes);
    }
}

#[test]
fn files_that_are_not_there_or_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let model = model(4);
    let path = folder.path().join("none.safetensors");
    let error = Koala::load(&path, &model).unwrap_err();
    assert!(matches!(error, Error::Io { .. }));
    assert!(error.to_string().contains("none.safetensors"), "{error}");

    std::fs::write(&path, b"not a safetensors file at all").unwrap();
    let error = Koala::load(&path, &model).unwrap_err().to_string();
    assert!(
        error.contains("none.safetensors") && error.contains("not a whole"),
        "{error}"
    );

    let foreign = safetensors::serialize(Vec::<(&str, TensorView<'_>)>::new(), None);
    std::fs::write(&path, foreign.unwrap()).unwrap();
    let error = Koala::load(&path, &model).unwrap_err().to_string();
    assert!(error.contains("no filter state"), "{error}");

    let optimizer = Koala::new(KoalaVConfig::new(), &model).unwrap();
    let error = optimizer
        .save(folder.path().join("no/such/folder"), &model)
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Io {
                action: "write",
                ..
            }
        ),
        "{error}"
    );
    assert!(optimizer.save("/", &model).is_err());
}

/// The state with its filter and its vectors changed, whole as a file.
fn changed(
    bytes: &[u8],
    filter: impl Fn(&mut serde_json::Value),
    vector: impl Fn(&str, TensorView<'_>) -> Option<(String, Vec<usize>)>,
) -> Vec<u8> {
    let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
    let mut header = metadata.metadata().clone().unwrap();
    let mut state = serde_json::from_str(&header["koala"]).unwrap();
    filter(&mut state);
    header.insert("koala".into(), state.to_string());
    let tensors = SafeTensors::deserialize(bytes).unwrap();
    let views = tensors.iter().filter_map(|(name, view)| {
        let (name, shape) = vector(name, view.clone())?;
        Some((
            name,
            TensorView::new(view.dtype(), shape, view.data()).unwrap(),
        ))
    });
    safetensors::serialize(views, Some(header)).unwrap()
}

#[test]
fn states_that_are_damaged() {
    let mut model = model(4);
    let bytes = trained(KoalaMConfig::new(), &mut model)
        .to_bytes(&model)
        .unwrap();
    let refused = |bytes: &[u8]| Koala::from_bytes(bytes, &model).unwrap_err().to_string();
    let as_it_is =
        |name: &str, view: TensorView<'_>| Some((name.to_owned(), view.shape().to_vec()));

    let message = refused(&changed(
        &bytes,
        |_| {},
        |name, view| as_it_is(&name.replace("weight/velocity", "weight/speed"), view),
    ));
    assert!(
        message.contains("tensor 'weight/speed' belongs to no parameter"),
        "{message}"
    );
    let message = refused(&changed(
        &bytes,
        |_| {},
        |name, view| as_it_is(name, view).filter(|(name, _)| name != "bias/average"),
    ));
    assert!(
        message.contains("tensor 'bias/average' is missing"),
        "{message}"
    );
    let message = refused(&changed(
        &bytes,
        |_| {},
        |name, view| {
            let shape = view.shape().iter().rev().copied().collect();
            Some((name.to_owned(), shape))
        },
    ));
    assert!(
        message.contains("has shape [3, 4], not [4, 3]"),
        "{message}"
    );

    // The last number of the last vector.
    let mut infinite = bytes.clone();
    let last = infinite.len() - size_of::<f32>();
    infinite[last..].copy_from_slice(&f32::INFINITY.to_le_bytes());
    let message = refused(&infinite);
    assert!(
        message.contains("holds a number that is not finite"),
        "{message}"
    );

    let with = |pointer: &str, value: serde_json::Value| {
        let filter = |state: &mut serde_json::Value| {
            *state.pointer_mut(pointer).unwrap() = value.clone();
        };
        refused(&changed(&bytes, filter, as_it_is))
    };
    let message = with("/version", 7.into());
    assert!(message.contains("version 7"), "{message}");
    let message = with("/phase", "predicted".into());
    assert!(message.contains("between predict and update"), "{message}");
    let message = with("/phase", "nowhere".into());
    assert!(message.contains("cannot be read"), "{message}");
    let message = with("/method/koala-m/p11", (-1.0).into());
    assert!(message.contains("p11 is -1"), "{message}");
    let message = with("/layout/parameters/0/group", 3.into());
    assert!(message.contains("'weight': group = 3"), "{message}");
    let message = with("/layout/parameters/0/name", "heavy".into());
    assert!(message.contains("where 'heavy'"), "{message}");
}

proptest! {
    #[test]
    fn a_state_that_is_cut_short_is_refused(part in 0.0..1.0_f64) {
        let mut model = model(4);
        let bytes = trained(KoalaMConfig::new(), &mut model).to_bytes(&model).unwrap();
        let kept = (part * bytes.len() as f64) as usize;
        prop_assert!(Koala::from_bytes(&bytes[..kept], &model).is_err());
    }

    #[test]
    fn a_state_with_wrong_bytes_is_refused_or_read(places in proptest::collection::vec((0.0..1.0_f64, any::<u8>()), 1..4)) {
        let mut model = model(4);
        let mut bytes = trained(KoalaMConfig::new(), &mut model).to_bytes(&model).unwrap();
        for (part, byte) in places {
            let at = (part * bytes.len() as f64) as usize;
            bytes[at] = byte;
        }
        // Whichever it is: no panic, and what is read can train.
        if let Ok(mut optimizer) = Koala::from_bytes(&bytes, &model) {
            optimizer.predict(&mut model).unwrap();
        }
    }
}

#[test]
fn a_state_of_another_model() {
    let mut model = model(4);
    let optimizer = trained(KoalaMConfig::new(), &mut model);
    let bytes = optimizer.to_bytes(&model).unwrap();
    let other: Linear = LinearConfig::new(5, 3).init(&Device::flex().autodiff());
    let error = Koala::from_bytes(&bytes, &other).unwrap_err();
    assert!(matches!(error, Error::ModelChanged { .. }), "{error}");
    assert!(optimizer.to_bytes(&other).is_err());
    let double = Linear {
        weight: model.weight.clone().map(|weight| {
            Tensor::<2>::from_data(weight.into_data(), &Device::flex().autodiff())
                .cast(FloatDType::F64)
                .require_grad()
        }),
        bias: model.bias.clone(),
    };
    let error = Koala::from_bytes(&bytes, &double).unwrap_err().to_string();
    assert!(
        error.contains("'weight/velocity' holds F32, not F64"),
        "{error}"
    );
}

#[test]
fn restore_takes_only_its_own_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut model = model(4);
    let saved = trained(KoalaMConfig::new(), &mut model);
    saved.save(&path, &model).unwrap();

    let mut same = Koala::new(KoalaMConfig::new(), &model).unwrap();
    same.restore(&path, &model).unwrap();
    assert_eq!(same.filter(), saved.filter());
    assert_eq!(
        same.to_bytes(&model).unwrap(),
        saved.to_bytes(&model).unwrap()
    );

    let refused = |mut optimizer: Koala| {
        let before = optimizer.filter().clone();
        let error = optimizer.restore(&path, &model).unwrap_err();
        assert!(matches!(error, Error::AnotherOptimizer { .. }), "{error}");
        assert_eq!(optimizer.filter(), &before);
        error.to_string()
    };
    let message = refused(Koala::new(KoalaVConfig::new(), &model).unwrap());
    assert!(
        message.contains("its method is koala-m, not koala-v"),
        "{message}"
    );
    let message = refused(Koala::new(KoalaAConfig::new(), &model).unwrap());
    assert!(
        message.contains("its method is koala-m, not koala-a"),
        "{message}"
    );
    let global = KoalaMConfig::new().with_partition(Partition::Global);
    let message = refused(Koala::new(global, &model).unwrap());
    assert!(
        message.contains("its partition is one block a tensor"),
        "{message}"
    );
    let group = ParameterGroup::matching("bias", Group::without_decay()).unwrap();
    let grouped = Koala::with_groups(KoalaMConfig::new(), &model, [group]).unwrap();
    assert!(refused(grouped).contains("it has 0 groups, not 1"));
}

#[test]
fn a_file_is_replaced_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.safetensors");
    let mut model = model(4);
    std::fs::write(&path, b"an earlier one").unwrap();
    let optimizer = trained(KoalaPpConfig::new(), &mut model);
    optimizer.save(&path, &model).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        optimizer.to_bytes(&model).unwrap()
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}
