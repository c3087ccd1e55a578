"""Texts as tokens and ids, models that count words, and how well a model predicts a text.

Which file to read for what, each list in a good order:

- from files to ids: `corpus` (files of any name), `decoding` (bytes to text), `tokens`, `bpe` (by a tokenizer's file),
  `vocabulary` (which tokens have ids), `numbering` and `numbered` (tokens as numbers)
- models: `kneser_ney` (counts), `mixture` (of two models), `sampling` (the next token), `scoring`
- vectors of words: `vectors` (their files), `neighbours`
"""
