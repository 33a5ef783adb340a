"""The T1 after contrast agent against the T1 before it, and the lesions that took the agent up."""
