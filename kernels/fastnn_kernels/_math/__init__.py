"""Functions of one number, in code that loops can vectorise.

- `elementary` (exp, log, tanh, sigmoid) by `constants`, in `tables`; `expm1` (also log1p)
- `normal` (the normal distribution), `loss_terms`
- the bits of a number: `float_bits`; rounded to 16 of them: `bfloat16`
"""
