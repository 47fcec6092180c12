"""`interlayer memory`: the questions of a day, and what a person corrects, ends or erases."""
