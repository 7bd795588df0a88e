"""Functions that provoke one fault each, on what they are given: by default Keras's own.

They run in processes of their own, so they may leave things behind.
"""
