"""Steps, epochs, what watches them, and what is kept of them."""
