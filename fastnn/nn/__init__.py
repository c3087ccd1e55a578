"""Networks as descriptions that write operations: layers, losses, initialisers, optimizers, schedules."""
