//! What networks of your own learn from: the sets of samples in memory that there are, and how a batch of each is handed over.

use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_data::{
    Augmentation, Data, DataKind, HostBatch, ImageSet, LabelledTable, SampleSet, Split, Table,
    TableBatch,
};
use koala_models::{cross_entropy, squared_error};

use crate::training::{Batch, Measure};

/// Samples that a network of your own learns from: rows with classes ([`LabelledTable`]), rows with numbers ([`Table`]) or images
/// with classes ([`ImageSet`]).
pub trait Samples: Form + Clone + Send + Sync + 'static {
    /// What a network is given of a batch: rows, `[batch, columns]`, or images, `[batch, channels, height, width]`.
    type Inputs;
    /// What is to be told of it: classes or numbers, `[batch]`.
    type Targets;

    /// The loss of each sample, `[batch]`, of outputs `[batch, classes]` or `[batch, 1]`: the cross-entropy in nats of what has
    /// classes, the squared error of numbers.
    fn losses(outputs: Tensor<2>, targets: Self::Targets) -> Tensor<1>;

    /// A batch on a device, and its classes if there are some.
    #[doc(hidden)]
    fn enter(batch: Self::Batch, device: &Device) -> (Self::Inputs, Self::Targets, Vec<u16>);
}

/// What the training loop asks of them; nobody else can.
pub trait Form: SampleSet {
    /// A batch on the host.
    #[doc(hidden)]
    type Batch: Send;

    /// What data of them are.
    #[doc(hidden)]
    const KIND: DataKind;

    /// The data that networks for them are for.
    #[doc(hidden)]
    const KINDS: &'static [DataKind] = &[Self::KIND];

    /// By what evaluations are compared.
    #[doc(hidden)]
    const MEASURE: Measure;

    /// What they are called in errors.
    #[doc(hidden)]
    const WORDS: &'static str;

    /// The parts of a data set as one of any kind.
    #[doc(hidden)]
    fn wrap(split: Split<Self>) -> Data;

    /// The parts of a data set, if it is one of these samples.
    #[doc(hidden)]
    fn of(data: &Data) -> Option<&Split<Self>>;

    /// Numbers that a network gives of a sample.
    #[doc(hidden)]
    fn outputs(&self) -> usize;

    /// A batch, of images changed at random by seed and epoch.
    #[doc(hidden)]
    fn batch(
        &self,
        samples: &[usize],
        augment: Augmentation,
        drawn: Option<(u64, usize)>,
    ) -> Self::Batch;

    /// The same batch in pieces.
    #[doc(hidden)]
    fn pieces(batch: Self::Batch, size: usize) -> Vec<Self::Batch>;

    /// Samples of a batch.
    #[doc(hidden)]
    fn count(batch: &Self::Batch) -> usize;
}

impl Samples for LabelledTable {
    type Inputs = Tensor<2>;
    type Targets = Tensor<1, Int>;

    fn losses(outputs: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        cross_entropy(outputs, targets)
    }

    fn enter(batch: HostBatch, device: &Device) -> (Tensor<2>, Tensor<1, Int>, Vec<u16>) {
        let (images, targets, labels) = ImageSet::enter(batch, device);
        (images.flatten(1, 3), targets, labels)
    }
}

impl Form for LabelledTable {
    type Batch = HostBatch;

    const KIND: DataKind = DataKind::Table;
    const MEASURE: Measure = Measure::Error;
    const WORDS: &'static str = "rows with classes";

    fn wrap(split: Split<Self>) -> Data {
        Data::Labelled(split)
    }

    fn of(data: &Data) -> Option<&Split<Self>> {
        match data {
            Data::Labelled(split) => Some(split),
            _ => None,
        }
    }

    fn outputs(&self) -> usize {
        self.classes()
    }

    fn batch(
        &self,
        samples: &[usize],
        _augment: Augmentation,
        _drawn: Option<(u64, usize)>,
    ) -> HostBatch {
        self.host_batch(samples)
    }

    fn pieces(batch: HostBatch, size: usize) -> Vec<HostBatch> {
        batch.pieces(size)
    }

    fn count(batch: &HostBatch) -> usize {
        batch.labels.len()
    }
}

impl Samples for ImageSet {
    type Inputs = Tensor<4>;
    type Targets = Tensor<1, Int>;

    fn losses(outputs: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        cross_entropy(outputs, targets)
    }

    fn enter(batch: HostBatch, device: &Device) -> (Tensor<4>, Tensor<1, Int>, Vec<u16>) {
        let Batch {
            images,
            targets,
            labels,
        } = Batch::new(batch, device);
        (images, targets, labels)
    }
}

impl Form for ImageSet {
    type Batch = HostBatch;

    const KIND: DataKind = DataKind::Images;
    const MEASURE: Measure = Measure::Error;
    const WORDS: &'static str = "images with classes";

    fn wrap(split: Split<Self>) -> Data {
        Data::Images(split)
    }

    fn of(data: &Data) -> Option<&Split<Self>> {
        match data {
            Data::Images(split) => Some(split),
            _ => None,
        }
    }

    fn outputs(&self) -> usize {
        self.classes
    }

    fn batch(
        &self,
        samples: &[usize],
        augment: Augmentation,
        drawn: Option<(u64, usize)>,
    ) -> HostBatch {
        let draws = drawn.and_then(|(seed, epoch)| augment.draws(seed, epoch));
        self.host_batch(samples, draws.as_ref())
    }

    fn pieces(batch: HostBatch, size: usize) -> Vec<HostBatch> {
        batch.pieces(size)
    }

    fn count(batch: &HostBatch) -> usize {
        batch.labels.len()
    }
}

impl Samples for Table {
    type Inputs = Tensor<2>;
    type Targets = Tensor<1>;

    fn losses(outputs: Tensor<2>, targets: Tensor<1>) -> Tensor<1> {
        squared_error(outputs.squeeze_dim(1), targets)
    }

    fn enter(batch: TableBatch, device: &Device) -> (Tensor<2>, Tensor<1>, Vec<u16>) {
        let count = batch.targets.len();
        let rows = TensorData::new(batch.features, [count, batch.columns]);
        let targets = TensorData::new(batch.targets, [count]);
        let rows = Tensor::from_data(rows, device);
        (rows, Tensor::from_data(targets, device), Vec::new())
    }
}

impl Form for Table {
    type Batch = TableBatch;

    const KIND: DataKind = DataKind::Table;
    // Not that of squared errors: a network may have a loss of its own, of which a root says nothing.
    const MEASURE: Measure = Measure::Loss;
    const WORDS: &'static str = "rows with numbers";

    fn wrap(split: Split<Self>) -> Data {
        Data::Table(split)
    }

    fn of(data: &Data) -> Option<&Split<Self>> {
        match data {
            Data::Table(split) => Some(split),
            _ => None,
        }
    }

    fn outputs(&self) -> usize {
        1
    }

    fn batch(
        &self,
        samples: &[usize],
        _augment: Augmentation,
        _drawn: Option<(u64, usize)>,
    ) -> TableBatch {
        Table::batch(self, samples)
    }

    fn pieces(batch: TableBatch, size: usize) -> Vec<TableBatch> {
        batch.pieces(size)
    }

    fn count(batch: &TableBatch) -> usize {
        batch.targets.len()
    }
}
