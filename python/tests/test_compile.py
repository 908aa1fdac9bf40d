"""Models under torch.compile, with the ``aot_eager`` back end: tracing and autograd as with inductor, without its compiler."""

import pytest
import torch

import koala_optim


def trained(kind, compiled, steps=6):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    forward = torch.compile(model, backend="aot_eager", fullgraph=True) if compiled else model
    # The compiled module's own parameters, as a training script would pass them.
    optimizer = kind(forward.parameters(), weight_decay=1e-3)
    inputs, targets = torch.randn(16, 4), torch.randn(16, 2)
    for step in range(steps):
        optimizer.zero_grad()
        optimizer.predict()
        for chosen in (slice(0, 8), slice(8, 16)):
            losses = (forward(inputs[chosen]) - targets[chosen]).square().mean(1)
            optimizer.observe(losses)
            (losses.sum() / 16).backward()
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("kind", [koala_optim.KoalaV, koala_optim.KoalaM, koala_optim.KoalaPP, koala_optim.KoalaA])
def test_a_compiled_model_sees_every_step(kind):
    torch.compiler.reset()
    torch.testing.assert_close(trained(kind, compiled=True), trained(kind, compiled=False))


def test_a_whole_compiled_step_graph_breaks_at_the_optimizer():
    """A training step that is compiled as a whole runs, with the optimizer's calls outside the graphs."""
    torch.compiler.reset()
    results = []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 2)
        optimizer = koala_optim.KoalaM(model.parameters())
        inputs = torch.randn(8, 4)

        def step():
            optimizer.zero_grad()
            optimizer.predict()
            losses = model(inputs).square().mean(1)
            optimizer.observe(losses)
            losses.mean().backward()
            optimizer.step()

        run = torch.compile(step, backend="aot_eager") if compiled else step
        for _ in range(4):
            run()
        results.append(model.weight.detach().clone())
    torch.testing.assert_close(*results)


def test_a_compiled_model_within_a_closure_stays_compiled():
    torch.compiler.reset()
    graphs = []

    def counted(graph, inputs):
        graphs.append(graph)
        return graph.forward

    model = torch.nn.Linear(4, 2)
    forward = torch.compile(model, backend=counted)
    optimizer = koala_optim.KoalaM(model.parameters())
    inputs = torch.randn(8, 4)

    def closure():
        optimizer.zero_grad()
        losses = forward(inputs).square().mean(1)
        losses.mean().backward()
        return losses

    first = optimizer.step(closure).mean()
    assert optimizer.step(closure).mean() < first
    assert len(graphs) == 1
