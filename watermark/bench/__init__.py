"""The watermark bench: attacks as data, any method, any clips, one report."""
