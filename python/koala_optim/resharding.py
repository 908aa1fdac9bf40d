"""Modules under ``fully_shard`` that still hold whole parameters, when the optimizer moves its parts of them."""

from __future__ import annotations


def reshard_modules() -> None:
    """Lets every module under ``fully_shard`` give up gathered parameters, which its next forward then gathers anew.

    A root module keeps them after a forward without backward, as in an evaluation. Other optimizers move parameters after
    a backward only, which gives them up; a prediction comes before the forward, and would not be seen by it.
    """
    try:
        from torch.distributed._composable_state import _module_state_mapping as modules
        from torch.distributed.fsdp import FSDPModule
    except ImportError:
        return
    for module in list(modules):
        if isinstance(module, FSDPModule):
            module.reshard()
