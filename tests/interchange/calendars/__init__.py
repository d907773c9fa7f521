"""Calendar files as other programs write them, with what they mean worked out another way."""
