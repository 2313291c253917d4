"""Which recipe ships: attempts to quantize, measured on the validation split, and which of them to make."""
