"""Annotations: immutable versions of a mask with an author and a state, and the lesions counted in them."""
