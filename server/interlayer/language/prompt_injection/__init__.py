"""Orders to a language model or an agent that are hidden in what is to be remembered."""
