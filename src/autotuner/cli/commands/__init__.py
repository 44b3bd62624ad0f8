"""Bodies of the commands. One module for commands that share what they load."""
