"""Language models: what is counted, what is learnt, and how well either foretells a text."""
