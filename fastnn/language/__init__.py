"""Language models as users call them: trained on a text, asked for words, measured.

- `of_text` (made for a text, and trained on it), `network` (which net, and how it is trained)
- `model` (what one does with a trained one), `reading` (how it reads), `scoring` (how well it predicts each word)
"""
