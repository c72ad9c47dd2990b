"""What a request may name, what it may be answered with, and what is kept of the answer.

The connection to a tenant's data, the row-level security of the metadata and the list of routes stand beside this; each holds
by itself.
"""
