"""The gates that every candidate passes before it is reconciled, and the rejections they give."""
