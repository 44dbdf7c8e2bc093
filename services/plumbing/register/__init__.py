"""A register: what one source says of its subjects, entry by entry, and the events that say what changed."""
