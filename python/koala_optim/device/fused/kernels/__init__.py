"""The kernels, in Triton's language: over tensors, and of one program for the filter's numbers.

Those for the filter compute what :mod:`...blockwise`, :mod:`...products` and :mod:`...adaptive` compute by PyTorch's
operations, over the same memory; those say more.
"""
