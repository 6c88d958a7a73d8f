"""Puts marks and credentials in, reads them back, and remembers what was issued."""
