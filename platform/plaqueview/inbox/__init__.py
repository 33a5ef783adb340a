"""Studies fetched from remote nodes: asked for by a reader, or as priors by a node's rule."""
