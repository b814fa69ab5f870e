"""What a genome costs, what is wrong with it, how its weights start and how they are stored."""
