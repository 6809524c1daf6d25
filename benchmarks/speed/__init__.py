"""How fast exported models run, side by side with other people's software on the same weights."""
