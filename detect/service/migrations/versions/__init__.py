"""One file per change of the service's schema."""
