"""A compiled step taken through data, many steps in a call.

- `data_pass` (how far it is) is the base of `runner` (many steps in a call) and this one of `rounds` (many epochs)
- without training: `kinds` (of steps), `evaluation`, `predictions`
- `kept`: compiled steps that a model keeps between calls
"""
