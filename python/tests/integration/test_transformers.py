"""HuggingFace's Trainer: KoalaCallback makes the steps of the loop by hand, whatever happens between them."""

import pytest
import torch

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("accelerate", reason="accelerate, which the Trainer needs, is not installed")

from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

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


def test_a_resumed_training_goes_on(tmp_path, assert_same):
    whole = bert()
    trainer_of(tmp_path, whole, save_strategy="steps", save_steps=4).train()
    resumed = bert()
    trainer_of(tmp_path, resumed).train(resume_from_checkpoint=str(tmp_path / "checkpoint-4"))
    assert_same(resumed, whole, rtol=0.0, atol=0.0)


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
