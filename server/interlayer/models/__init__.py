"""The model parameter: embedders and their spaces."""
