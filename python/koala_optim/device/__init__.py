"""The filter where its parameters are: a step in which the host reads no number back, and waits for nothing."""
