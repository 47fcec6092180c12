"""How the values of facets are compared: what callers write of one value differs in small things."""

from interlayer.language.terms import stem, words


def key_of(said: str) -> str:
    """Return a value without case, punctuation, blanks and plural: `E-Mails` and `email` are equal."""
    return "".join(stem(word) for word in words(said.replace("-", "").replace(".", "").replace("'", "")))
