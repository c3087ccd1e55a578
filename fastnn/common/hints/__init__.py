"""What users of other libraries type first, and what is said to them."""
