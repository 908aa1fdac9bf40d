//! Learning to predict the next token of a text.

use burn::tensor::{Device, Int, Tensor, TensorData};
use koala_data::{Corpus, TextWindow, TextWindows};
use koala_models::Masks;
use koala_models::language::LanguageModel;

use super::task::read;
use super::{Batches, Evaluation, Losses, Measure, Part, Tally, Task, cross_entropy};

/// Rows of text that an evaluation reads side by side.
const EVALUATION_ROWS: usize = 10;

/// The next token of a text, read in windows that follow each other (truncated back-propagation through time).
#[derive(Debug)]
pub struct TextTask<'a> {
    corpus: &'a Corpus,
    windows: TextWindows<'a>,
    training: Device,
    inference: Device,
}

impl<'a> TextTask<'a> {
    /// The texts of `corpus`; `windows` are of its training text.
    pub fn new(corpus: &'a Corpus, windows: TextWindows<'a>, device: &Device) -> Self {
        Self {
            corpus,
            windows,
            training: device.clone().autodiff(),
            inference: device.clone().inner(),
        }
    }
}

impl Batches for TextTask<'_> {
    type Epoch = ();
    type Batch = TextWindow;

    fn batches(&self) -> usize {
        self.windows.count()
    }

    fn epoch(&self, _epoch: usize) {}

    fn batch(&self, _drawn: &(), _epoch: usize, index: usize) -> TextWindow {
        self.windows.window(index)
    }
}

impl<M: LanguageModel> Task<M> for TextTask<'_> {
    /// The state after the window before, of each piece.
    type Carry = Vec<M::State>;

    fn pieces(&self, batch: TextWindow, size: usize) -> Vec<TextWindow> {
        batch.pieces(size)
    }

    fn samples(&self, batch: &TextWindow) -> usize {
        batch.targets.len()
    }

    fn start(&self, _model: &M, _pieces: usize) -> Self::Carry {
        Vec::new()
    }

    fn losses(
        &self,
        model: &M,
        piece: TextWindow,
        number: usize,
        carry: &mut Self::Carry,
        masks: &mut Masks,
    ) -> Losses {
        if carry.len() <= number {
            carry.push(model.start(piece.rows));
        }
        let state = carry.get(number).cloned();
        let state = state.unwrap_or_else(|| model.start(piece.rows));
        let (losses, after) = losses(model, &piece, state, masks, &self.training);
        if let Some(slot) = carry.get_mut(number) {
            *slot = after;
        }
        losses
    }

    fn carried(&self, carry: &Self::Carry) -> Vec<Vec<TensorData>> {
        let values = |state: &M::State| {
            let tensors = M::state_tensors(state).into_iter();
            tensors.map(|tensor| tensor.into_data()).collect()
        };
        carry.iter().map(values).collect()
    }

    fn restore(&self, model: &M, carried: Vec<Vec<TensorData>>) -> Option<Self::Carry> {
        let tensor = |data: TensorData| {
            (data.shape().len() == 2).then(|| Tensor::from_data(data, &self.training))
        };
        let state = |values: Vec<TensorData>| {
            let tensors: Option<Vec<Tensor<2>>> = values.into_iter().map(tensor).collect();
            model.state_of(tensors?)
        };
        carried.into_iter().map(state).collect()
    }

    fn evaluate(&self, model: &M, part: Part) -> Evaluation {
        let text = match part {
            Part::Validation => &self.corpus.validation,
            Part::Test => &self.corpus.test,
        };
        let windows = TextWindows::new(text, EVALUATION_ROWS, self.windows.length(), false);
        let mut tally = Tally::default();
        let mut state = None;
        for index in 0..windows.count() {
            let window = windows.window(index);
            let before = state.take().unwrap_or_else(|| model.start(window.rows));
            let (losses, after) =
                losses(model, &window, before, &mut Masks::off(), &self.inference);
            tally.add(losses.tally);
            state = Some(after);
        }
        tally.evaluation()
    }

    fn judge(&self) -> Part {
        if self.corpus.validation.is_empty() {
            Part::Test
        } else {
            Part::Validation
        }
    }

    fn measure(&self) -> Measure {
        Measure::Perplexity
    }
}

/// The loss of each token of a window, and the state after it.
fn losses<M: LanguageModel>(
    model: &M,
    window: &TextWindow,
    state: M::State,
    masks: &mut Masks,
    device: &Device,
) -> (Losses, M::State) {
    let shape = [window.rows, window.length];
    let inputs = TensorData::new(window.inputs.clone(), shape);
    let targets = TensorData::new(window.targets.clone(), [window.targets.len()]);
    let inputs = Tensor::<2, Int>::from_data(inputs, device);
    let (scores, after) = model.forward(inputs, state, masks);
    let [rows, time, vocabulary] = scores.dims();
    let scores = scores.reshape([rows * time, vocabulary]);
    let targets = Tensor::<1, Int>::from_data(targets, device);
    let tensor = cross_entropy(scores.clone(), targets);
    let [host, scores] = read(tensor.clone(), scores);
    let classes = window.targets.iter().map(|token| *token as usize);
    let tally = Tally::of(&host, &scores, classes);
    (
        Losses {
            tensor,
            host,
            tally,
        },
        after,
    )
}
