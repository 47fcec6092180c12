"""The word lists: text files that one can read, correct and add a language to, in a folder for each language."""
