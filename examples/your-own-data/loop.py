"""A loop of one's own, in PyTorch, with AdamW tuned and KOALA-A as it is: python loop.py [FOLDER].

Which wine is it, by thirteen measurements (scikit-learn's data set)? `koala report FOLDER` makes a page of what comes out.
"""

import sys
from contextlib import nullcontext

import koala_optim
import torch
from koala_optim import lab
from sklearn.datasets import load_wine
from torch.nn.functional import cross_entropy

torch.set_num_threads(1)  # so small a network has nothing for a second one
inputs, labels = load_wine(return_X_y=True)
inputs, labels = torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels)
order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))
training, held_out, test = order[:108], order[108:143], order[143:]
# By the training part alone: nothing of the others may be known to what they judge.
inputs = (inputs - inputs[training].mean(0)) / inputs[training].std(0)


def judged(model, optimizer, samples):
    """Loss and error in percent; with KOALA-A at the mean of its iterates, which is where it is to be judged."""
    averages = isinstance(optimizer, koala_optim.Koala) and optimizer.keeps_mean
    with torch.no_grad(), optimizer.averaged() if averages else nullcontext():
        scores = model(inputs[samples])
        error = 100 * (scores.argmax(1) != labels[samples]).float().mean()
        return cross_entropy(scores, labels[samples]).item(), error.item()


def train(make, seed, run):
    model = torch.nn.Sequential(torch.nn.Linear(13, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    optimizer = make(model.named_parameters(), model)
    koala = isinstance(optimizer, koala_optim.Koala)
    for _ in range(20):
        for batch in training[torch.randperm(len(training))].split(12):
            optimizer.zero_grad()
            if koala:
                optimizer.predict()
            losses = cross_entropy(model(inputs[batch]), labels[batch], reduction="none")
            losses.mean().backward()
            optimizer.update(losses) if koala else optimizer.step()
            run.step(losses)
        loss, error = judged(model, optimizer, held_out)
        run.evaluation(validation_loss=loss, validation_error=error)
    if run.test:  # trials of tuning leave the test samples alone
        loss, error = judged(model, optimizer, test)
        run.finish(test_loss=loss, test_error=error)


if __name__ == "__main__":
    lab.compare(
        train,
        {"koala-a": koala_optim.KoalaA, "adamw": lambda params, lr=1e-3: torch.optim.AdamW(params, lr=lr)},
        folder=sys.argv[1] if len(sys.argv) > 1 else "loop-compared",
        dataset="wine",
        model="mlp",
        seeds=[0, 1, 2, 3, 4],
        tuning={"adamw": {"lr": [1e-3, 3e-3, 1e-2, 3e-2]}},
    )
