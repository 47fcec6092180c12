"""The memorize call from intake to answer, and the backlog of content that awaits a model."""
