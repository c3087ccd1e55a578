"""The system `trigram`: a neural language model, of the course's file or of a user's own text.

- `recipe`: its comparisons, and what makes a system of it; `network`: its settings and its layers
- a user's own text: `text` (how it is read, and what is said of it), `text_defaults` (its settings and comparisons)
- what it answers: `answers`, `counts` (beside models that only count words), `checks` (small computations)
"""
