"""Trains and measures the embedded diffusion model."""
