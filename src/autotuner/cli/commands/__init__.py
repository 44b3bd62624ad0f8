"""What each command does. One module for commands that share what they load."""
