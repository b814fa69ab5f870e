"""PPO, A2C, DQN, SAC, tabular, supervised and planning learners."""
