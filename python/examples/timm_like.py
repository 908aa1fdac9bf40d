"""KOALA-M in a training loop like timm's: groups without decay, mixup, a schedule by updates, an EMA, autocast and a scaler.

python examples/timm_like.py
"""

import torch
from torch import nn

import koala_optim


def made_images(samples: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Stripes of three directions in noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (samples,), generator=generator)
    rows, columns = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="ij")
    patterns = torch.stack([rows.sin(), columns.sin(), (rows + columns).sin()])
    return (patterns[labels] + 0.3 * torch.randn(samples, 8, 8, generator=generator))[:, None], labels


def mixed(inputs: torch.Tensor, labels: torch.Tensor, alpha: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixup: every picture with another one, and the probabilities of the classes alike."""
    share = torch.distributions.Beta(alpha, alpha).sample()
    probabilities = nn.functional.one_hot(labels, 3).float()
    return share * inputs + (1 - share) * inputs.flip(0), share * probabilities + (1 - share) * probabilities.flip(0)


def main(epochs: int = 6, mixup: float = 0.2, device: str = "cpu") -> tuple[list[float], float]:
    """Returns the mean loss of every epoch, and the error of the averaged model at last."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 64, 3)
    ).to(device)
    optimizer = koala_optim.KoalaM(koala_optim.param_groups(model, weight_decay=5e-4), decay_rule="decoupled")
    inputs, labels = made_images(256)
    batches = 8
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * batches)  # of the gain, from 1 to 0
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9), use_buffers=True
    )
    scaler = torch.amp.GradScaler(device)
    history = []
    for _ in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(inputs)).chunk(batches):
            pictures, targets = mixed(inputs[chosen].to(device), labels[chosen].to(device), mixup)
            optimizer.zero_grad()
            optimizer.predict()
            with torch.autocast(device, dtype=torch.bfloat16):
                outputs = model(pictures)
            losses = koala_optim.classification_losses(outputs, targets, label_smoothing=0.1)
            optimizer.observe(losses)
            scaler.scale(losses.mean()).backward()
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            average.update_parameters(model)  # after step: before it, the parameters stand at their prediction
            total += losses.detach().mean().item()
        history.append(total / batches)
    average.eval()
    with torch.no_grad():
        error = (average(inputs.to(device)).argmax(1).cpu() != labels).float().mean().item()
    return history, error


if __name__ == "__main__":
    history, error = main()
    print(f"loss {history[0]:.3f} at first, {history[-1]:.3f} at last, error {100 * error:.1f} %")
