"""Training of the learned front end; nothing here is needed to embed or to detect."""
