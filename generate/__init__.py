"""Makes clips; its only door out is :func:`vidigree.watermark.stamp`."""
