"""What laws ask of a generated clip beyond mark and signature: labels, tags, disclosures."""
