"""Side-by-side measurements against other people's software."""
