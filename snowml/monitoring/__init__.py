"""How scored rows differ from the training, and how right the predictions were; all of it computed in SQL."""
