"""What runs in the sandbox: a zygote that forks a child for each submission, and what these children do.

Nothing here knows a reference, a claim or an expected value. It imports `autograder.codec`, numpy and the standard library (torch where the
functions are on tensors), and nothing else of the house: nothing else is there.
"""
