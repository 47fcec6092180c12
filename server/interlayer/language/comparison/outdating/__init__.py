"""What a newer statement makes outdated in other words: a figure, a value of one matter, what it gives up."""
