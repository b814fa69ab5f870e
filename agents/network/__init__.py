"""A genome as torch modules: the policy, its optimiser, one gradient step."""
