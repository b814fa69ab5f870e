"""Carries weights and optimiser state over from one genome to the next."""
