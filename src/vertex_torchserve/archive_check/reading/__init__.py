"""What a member holds, read without running it: Python, requirements, pickles, tensors."""
