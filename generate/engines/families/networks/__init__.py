"""The networks of the families. These modules need torch, so engines import them as they run."""
