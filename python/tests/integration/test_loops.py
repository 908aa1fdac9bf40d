"""The examples of loops that are not a framework's: like timm's, like torchtune's."""

import torch

import koala_optim


def test_a_loop_like_timms(example):
    history, error = example("timm_like").main(epochs=4)
    assert history[-1] < 0.8 * history[0]
    assert error < 0.05


def test_a_loop_like_torchtunes(example):
    model, optimizer, history = example("torchtune_like").main(steps=40)
    assert sum(history[-5:]) < 0.6 * sum(history[:5])
    trained = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    assert {id(parameter) for parameter in optimizer.state} == trained
    skipped = [block["outcome"] for block in optimizer.report()["blocks"]].count({"skipped": "no-gradient"})
    assert skipped == sum(not parameter.requires_grad for parameter in model.parameters())


def test_its_micro_batches_are_the_big_batch(example):
    """Weighted by tokens, whatever the padding."""
    script = example("torchtune_like")
    results = []
    for together in (False, True):
        torch.manual_seed(0)
        model = script.Language()
        optimizer = koala_optim.KoalaM(model.parameters())
        parts = [script.batch(3) for _ in range(3)]
        if together:
            parts = [tuple(torch.cat(both) for both in zip(*parts))]
        counted = sum(int((labels[:, 1:] != script.IGNORED).sum()) for _, labels in parts)
        for _ in range(3):
            optimizer.zero_grad()
            optimizer.predict()
            for tokens, labels in parts:
                losses = koala_optim.causal_lm_losses(model(tokens), labels)
                optimizer.observe(losses)
                (losses.sum() / counted).backward()
            optimizer.step()
        results.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-6)
