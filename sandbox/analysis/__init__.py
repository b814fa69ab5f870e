"""Events become metric values, effects and verdicts; no torch, no environment."""
