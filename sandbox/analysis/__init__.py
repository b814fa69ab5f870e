"""Events become metric values and effects with intervals; no torch, no environment."""
