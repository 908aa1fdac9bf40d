"""The device path in few launches: Triton kernels that go over all tensors by a table of their addresses."""
