"""The example of TensorBoard, read with TensorBoard's own reader."""

import pytest

pytest.importorskip("tensorboard", reason="tensorboard is not installed")

import koala_optim


def test_every_number_of_the_steps_is_there(example, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    steps = 12
    optimizer = example("tensorboard_logging").main(str(tmp_path), steps=steps)
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    names = set(read.Tags()["scalars"])
    expected = koala_optim.scalars(optimizer, blocks=True)
    assert names == set(expected)
    assert {"koala/loss", "koala/effective_learning_rate", "koala/missing", "koala/covariance/p11"} <= names
    assert {"koala/process_noise/velocity", "koala/2.weight/normalised_innovation_squared"} <= names
    for name, value in koala_optim.scalars(optimizer).items():
        events = read.Scalars(name)
        assert [event.step for event in events] == list(range(steps))
        assert events[-1].value == pytest.approx(value, rel=1e-6)
    assert [event.step for event in read.Scalars("koala/0.weight/update_norm")] == [0, 10]
