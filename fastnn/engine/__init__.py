"""From a list of operations to a table of addresses that threads run. Knows no layer, no data set, no epoch."""
