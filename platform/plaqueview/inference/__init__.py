"""Inference jobs: requested, claimed by a worker, renewed, and ended in a named state."""
