"""KOALA-M in Lightning, with manual and with automatic optimization.

pip install "koala-optim[integrations]"; python examples/lightning_module.py
"""

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

import koala_optim


class Regression(lightning.LightningModule):
    """A model with the parts that both ways share; ``history`` gets the loss of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
        self.history: list[float] = []

    def losses(self, batch):
        inputs, targets = batch
        losses = (self.network(inputs) - targets).square().mean(1)
        self.history.append(losses.mean().item())
        return losses

    def validation_step(self, batch, batch_index):
        self.log("validation_loss", self.losses(batch).mean())
        self.history.pop()

    def configure_optimizers(self):
        return koala_optim.KoalaM(self.parameters())


class Manual(Regression):
    """The loop of every other training script."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch, batch_index):
        optimizer = self.optimizers()
        optimizer.zero_grad()
        optimizer.predict()
        losses = self.losses(batch)
        optimizer.observe(losses)
        self.manual_backward(losses.mean())
        optimizer.step()


class Automatic(Regression):
    """Lightning calls zero_grad, backward and step; ``accumulate_grad_batches`` and a gradient scaler work too."""

    def on_train_batch_start(self, batch, batch_index):
        optimizer = self.optimizers()
        if not optimizer.predicted:  # of micro-batches, only the first begins a step
            optimizer.predict()

    def training_step(self, batch, batch_index):
        losses = self.losses(batch)
        self.optimizers().observe(losses)
        return losses.mean()


def data(samples: int = 64, batch_size: int = 8) -> DataLoader:
    inputs = torch.randn(samples, 4, generator=torch.Generator().manual_seed(0))
    return DataLoader(TensorDataset(inputs, inputs.sum(1, keepdim=True).sin()), batch_size)


def main(module: Regression, epochs: int = 5, **options) -> Regression:
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(module, data(), data(16))
    return module


if __name__ == "__main__":
    for kind in (Manual, Automatic):
        torch.manual_seed(0)
        history = main(kind()).history
        print(f"{kind.__name__}: loss {history[0]:.3f} at first, {history[-1]:.3f} at last")
