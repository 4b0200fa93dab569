"""How rows are cut into buckets and hashed by their own server.

To the statements nothing is passed as a parameter: with none, the driver leaves every `%` of a hostile name alone. The
only values in their texts are integers of ours, bounds of integer keys, and keys, quoted by the driver.
"""
