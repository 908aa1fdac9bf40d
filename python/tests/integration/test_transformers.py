"""HuggingFace's Trainer: KoalaCallback makes the steps of the loop by hand, whatever happens between them."""

from functools import partial

import pytest
import torch

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("accelerate", reason="accelerate, which the Trainer needs, is not installed")

from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments

import koala_optim
from koala_optim.integrations.transformers import KoalaCallback

pytestmark = pytest.mark.filterwarnings("ignore")


class InOrder(Trainer):
    """Takes the samples as they come."""

    def _get_train_sampler(self, *_):
        return torch.utils.data.SequentialSampler(self.train_dataset)


def bert():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertForSequenceClassification(
        BertConfig(vocab_size=12, max_position_embeddings=8, num_labels=3, **sizes, **no_dropout)
    )


def samples(number=18):
    tokens = torch.randint(12, (number, 6), generator=torch.Generator().manual_seed(1))
    return [{"input_ids": row, "labels": int(row[0]) % 3} for row in tokens]


def sample_losses(outputs, labels):
    return torch.nn.functional.cross_entropy(outputs.logits, labels, reduction="none")


def trainer_of(folder, model, **options):
    optimizer = options.pop("optimizer", None) or koala_optim.KoalaM(model.parameters())
    koala = KoalaCallback(sample_losses)
    callbacks = options.pop("callbacks", [koala])
    arguments = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2, "num_train_epochs": 2}
    arguments |= {"lr_scheduler_type": "constant", "max_grad_norm": 0.0, "report_to": "none", "disable_tqdm": True}
    arguments |= {"use_cpu": True, "save_strategy": "no", **options}
    return InOrder(
        model,
        TrainingArguments(str(folder), **arguments),
        train_dataset=samples(),
        eval_dataset=samples(6),
        optimizers=(optimizer, None),
        callbacks=callbacks,
        compute_loss_func=koala.loss,
    )


def test_the_steps_are_those_of_the_loop_by_hand(tmp_path, trained_by_hand, assert_same):
    """With two micro-batches a step, fewer at an epoch's end, and evaluation after every step."""
    model = bert()
    trainer_of(tmp_path, model, eval_strategy="steps", eval_steps=1).train()

    def losses_of(model, chosen):
        ids = torch.stack([sample["input_ids"] for sample in chosen])
        return sample_losses(model(ids), torch.tensor([sample["labels"] for sample in chosen]))

    data = samples()
    epoch = [[data[0:4], data[4:8]], [data[8:12], data[12:16]], [data[16:18]]]
    other = bert()
    other.train()
    trained_by_hand(other, koala_optim.KoalaM(other.parameters()), losses_of, epoch * 2)
    assert_same(model, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", [koala_optim.KoalaM, koala_optim.KoalaA])
def test_a_resumed_training_goes_on(kind, tmp_path, assert_same):
    whole = bert()
    first = kind(whole.parameters())
    trainer_of(tmp_path, whole, save_strategy="steps", save_steps=4, optimizer=first).train()
    resumed = bert()
    second = kind(resumed.parameters())
    trainer_of(tmp_path, resumed, optimizer=second).train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert_same(resumed, whole, rtol=0.0, atol=0.0)
    assert first.filter_state() == second.filter_state()


def losses_by_hand(model, chosen):
    ids = torch.stack([sample["input_ids"] for sample in chosen])
    return sample_losses(model(ids), torch.tensor([sample["labels"] for sample in chosen]))


def trained_with_koala_a(trained_by_hand, epochs=2):
    data = samples()
    epoch = [[data[0:4], data[4:8]], [data[8:12], data[12:16]], [data[16:18]]]
    model = bert().train()
    optimizer = koala_optim.KoalaA(model.parameters())
    trained_by_hand(model, optimizer, losses_by_hand, epoch * epochs)
    return model, optimizer


def evaluated_at_the_mean(trained_by_hand, epochs):
    model, optimizer = trained_with_koala_a(trained_by_hand, epochs)
    model.eval()
    with torch.no_grad(), optimizer.averaged():
        inside = losses_by_hand(model, samples(6)).mean().item()
    with torch.no_grad():
        assert losses_by_hand(model, samples(6)).mean().item() != pytest.approx(inside, rel=1e-3)
    return inside


@pytest.mark.parametrize("often", [True, False], ids=["every-step", "at-the-end"])
def test_evaluation_saving_and_the_result_are_at_the_mean(tmp_path, trained_by_hand, assert_same, often):
    model = bert()
    optimizer = koala_optim.KoalaA(model.parameters())
    options = {"eval_strategy": "steps", "eval_steps": 1} if often else {"eval_strategy": "epoch"}
    trainer = trainer_of(tmp_path, model, optimizer=optimizer, save_strategy="steps", save_steps=6, **options)
    trainer.train()
    other, reference = trained_with_koala_a(trained_by_hand)
    outside = [parameter.detach().clone() for parameter in other.parameters()]
    with reference.averaged():
        # The model is left at the mean, saved at it, and was evaluated at it.
        assert_same(model, other, rtol=1e-3, atol=1e-5)
        assert_same(
            BertForSequenceClassification.from_pretrained(tmp_path / "checkpoint-6"), other, rtol=1e-3, atol=1e-5
        )
    loss = evaluated_at_the_mean(trained_by_hand, epochs=2)
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert len(losses) == (6 if often else 2) and losses[-1] == pytest.approx(loss, rel=1e-4)
    assert losses[2 if often else 0] == pytest.approx(evaluated_at_the_mean(trained_by_hand, epochs=1), rel=1e-4)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(loss, rel=1e-4)
    # It is another place than the parameters, from which a further training goes on.
    assert any((x - y).abs().max() > 1e-3 for x, y in zip(outside, model.parameters()))
    trainer.train()
    longer, _ = trained_with_koala_a(trained_by_hand, epochs=4)
    for found, expected in zip(trainer_parameters(optimizer, trainer), longer.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-4)


def trainer_parameters(optimizer, trainer):
    """The parameters of the training, not their mean."""
    (callback,) = (c for c in trainer.callback_handler.callbacks if isinstance(c, KoalaCallback))
    return [value for _, value in callback._parameters]


class Stop(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop |= state.global_step == 5


@pytest.mark.parametrize("stopped", [False, True], ids=["whole", "stopped"])
def test_the_best_model_is_not_replaced_by_the_last_mean(tmp_path, stopped):
    """After the last step the Trainer evaluates; stopped, it does not."""
    model = bert()
    optimizer = koala_optim.KoalaA(model.parameters())
    options = {"eval_strategy": "steps", "eval_steps": 4, "save_strategy": "steps", "save_steps": 4}
    options |= {"load_best_model_at_end": True, "metric_for_best_model": "worse", "greater_is_better": False}
    trainer = trainer_of(tmp_path, model, optimizer=optimizer, **options)
    if stopped:
        trainer.add_callback(Stop())
    worse_and_worse = iter(range(10))
    trainer.compute_metrics = lambda predictions: {"worse": next(worse_and_worse)}
    trainer.train()
    assert trainer.state.global_step == (5 if stopped else 6)
    assert trainer.state.best_model_checkpoint.endswith("checkpoint-4")
    best = BertForSequenceClassification.from_pretrained(tmp_path / "checkpoint-4")
    assert all(torch.equal(x, y) for x, y in zip(model.parameters(), best.parameters(), strict=True))
    optimizer.state_dict()


def test_running_statistics_are_found_at_the_mean(tmp_path):
    class Normalised(torch.nn.Module):
        device = torch.device("cpu")

        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layers = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Linear(8, 3))

        def forward(self, input_ids, labels=None):
            return self.layers(input_ids.float())

    model = Normalised()
    optimizer = koala_optim.KoalaA(model.parameters())
    batches = [torch.stack([sample["input_ids"] for sample in samples()[at : at + 6]]) for at in (0, 6, 12)]
    koala = KoalaCallback(partial(torch.nn.functional.cross_entropy, reduction="none"), batches)
    arguments = {"per_device_train_batch_size": 6, "use_cpu": True, "report_to": "none", "save_strategy": "no"}
    trainer = InOrder(
        model,
        TrainingArguments(str(tmp_path), max_steps=3, max_grad_norm=0.0, disable_tqdm=True, **arguments),
        train_dataset=samples(),
        optimizers=(optimizer, None),
        callbacks=[koala],
        compute_loss_func=koala.loss,
    )
    trainer.train()
    found = [buffer.clone() for buffer in model.buffers()]
    koala_optim.recompute_batch_norm(model, batches)
    assert all(torch.equal(x, y) for x, y in zip(found, model.buffers()))


class OutOfMemory(RuntimeError):
    """What accelerate takes for a batch that did not fit into memory."""

    def __init__(self):
        super().__init__("CUDA out of memory.")


@pytest.mark.parametrize("kind", [koala_optim.KoalaM, koala_optim.KoalaA])
@pytest.mark.parametrize("where", ["forward", "backward"])
def test_the_finder_of_batch_sizes_begins_anew(kind, where, tmp_path):
    """With auto_find_batch_size the Trainer tries again with a smaller batch, in the middle of a step of the last try."""
    model = bert()
    optimizer = kind(model.parameters())
    failed = []

    def losses_of(outputs, labels):
        losses = sample_losses(outputs, labels)
        if len(labels) > 2 and losses.requires_grad:
            failed.append(len(labels))
            if where == "forward":
                raise OutOfMemory
            losses.register_hook(lambda _: (_ for _ in ()).throw(OutOfMemory()))
            return losses + 100.0
        return losses

    koala = KoalaCallback(losses_of)
    options = {"auto_find_batch_size": True, "eval_on_start": True, "eval_strategy": "epoch"}
    trainer = trainer_of(tmp_path, model, optimizer=optimizer, callbacks=[koala], **options)
    trainer.compute_loss_func = koala.loss
    trainer.train()
    assert failed and optimizer.report()["missing_in_a_row"] == 0
    # The losses of the tries that failed are in nothing that was learnt.
    assert optimizer.filter_state()["measurement_noise"] < 10.0
    assert not optimizer.predicted


def test_labels_that_the_trainer_counts_and_that_have_no_loss(tmp_path, trained_by_hand, assert_same):
    """As the first token of a text: the gradient is that of the mean of the losses that there are."""

    def losses_of(outputs, labels):
        return sample_losses(outputs, labels)[1:]

    model = bert()
    koala = KoalaCallback(losses_of)
    trainer = trainer_of(tmp_path, model, callbacks=[koala])
    trainer.compute_loss_func = koala.loss
    trainer.train()
    data = samples()
    epoch = [[data[0:4], data[4:8]], [data[8:12], data[12:16]], [data[16:18]]]
    other = bert().train()
    optimizer = koala_optim.KoalaM(other.parameters())
    trained_by_hand(other, optimizer, lambda model, chosen: losses_by_hand(model, chosen)[1:], epoch * 2)
    assert_same(model, other, rtol=1e-3, atol=1e-5)


def test_a_step_that_a_loop_of_its_own_left_is_given_up(tmp_path):
    model = bert()
    optimizer = koala_optim.KoalaM(model.parameters())
    koala = KoalaCallback(sample_losses)
    trainer = trainer_of(tmp_path, model, optimizer=optimizer, callbacks=[koala])
    for _ in range(2):
        koala.on_step_begin(trainer.args, trainer.state, trainer.control, optimizer=optimizer)
        assert optimizer.predicted and optimizer.observed == 0
        koala.loss(model(torch.stack([sample["input_ids"] for sample in samples(2)])), torch.tensor([0, 1]), 2)
        assert optimizer.observed == 2


def test_a_step_without_labels_that_count_is_given_up(tmp_path):
    model = bert()
    optimizer = koala_optim.KoalaM(model.parameters())
    koala = KoalaCallback(koala_optim.classification_losses)
    trainer = trainer_of(tmp_path, model, optimizer=optimizer, callbacks=[koala])
    trainer.compute_loss_func = koala.loss
    for sample in trainer.train_dataset[:8]:
        sample["labels"] = -100
    trainer.train()
    # Three steps an epoch, of which the first has no label that counts.
    assert trainer.state.global_step == 6 and optimizer.filter_state()["step"] == 4


@pytest.mark.parametrize("norm", [0.0, 1.0])
def test_a_trainer_that_clips_is_warned_of(norm, tmp_path):
    import warnings

    trainer = trainer_of(tmp_path, bert(), max_grad_norm=norm, max_steps=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trainer.train()
    clipped = [str(warning.message) for warning in caught if "clips gradients to a norm of 1.0" in str(warning.message)]
    assert len(clipped) == (norm == 1.0)
    assert all("Set max_grad_norm=0.0" in text and "max_update_norm=" in text for text in clipped)


def test_the_example_learns(example, tmp_path):
    trainer = example("huggingface_trainer").main(str(tmp_path), steps=20)
    losses = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert len(losses) == 2 and losses[1] < losses[0]


def test_another_optimizer_is_an_error(tmp_path):
    model = bert()
    with pytest.raises(TypeError, match="needs a KOALA optimizer, but the Trainer has SGD"):
        trainer_of(tmp_path, model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1)).train()


def test_a_forgotten_callback_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match="give the callback in callbacks"):
        trainer_of(tmp_path, bert(), callbacks=[]).train()


def test_uncounted_labels_are_an_error_with_micro_batches(tmp_path):
    trainer = trainer_of(tmp_path, bert())
    trainer._get_num_items_in_batch = lambda *_: None
    with pytest.raises(ValueError, match="did not count the labels"):
        trainer.train()
