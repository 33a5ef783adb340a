"""The live feed: who looks at what, and pointers to what changed."""
