"""The workflows: the only orchestration there is. Commands and procedures are doors to them."""
