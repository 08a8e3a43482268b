"""What the server tests share, so that each of them says only what it proves."""
