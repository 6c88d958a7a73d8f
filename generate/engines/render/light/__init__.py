"""What light does: the sky, soft shadows, surfaces, and the film that records it."""
