"""KOALA-M in HuggingFace's Trainer: a small GPT-2, made here with random weights, learns to count.

pip install "koala-optim[integrations]"; python examples/huggingface_trainer.py
"""

import tempfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments

import koala_optim
from koala_optim.integrations.transformers import KoalaCallback


def main(folder: str, steps: int = 30, micro_batches: int = 2) -> Trainer:
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=16, n_positions=12, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    )
    starts = torch.randint(16, (64, 1))
    sequences = [{"input_ids": ids, "labels": ids} for ids in (starts + torch.arange(12)) % 16]
    koala = KoalaCallback(koala_optim.causal_lm_losses)
    trainer = Trainer(
        model,
        TrainingArguments(
            folder,
            max_steps=steps,
            per_device_train_batch_size=8,
            gradient_accumulation_steps=micro_batches,
            eval_strategy="steps",
            eval_steps=10,
            logging_steps=10,
            lr_scheduler_type="cosine",  # moves the gain, from the optimizer's lr of 1
            max_grad_norm=0.0,  # clipped gradients would no longer be those of the loss; see max_update_norm
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=sequences[:48],
        eval_dataset=sequences[48:],
        optimizers=(koala_optim.KoalaM(model.parameters()), None),
        callbacks=[koala],
        compute_loss_func=koala.loss,
    )
    trainer.train()
    return trainer


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(folder)
