"""Language models as users call them: trained on a text, asked for words, measured."""
