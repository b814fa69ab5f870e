"""What worlds are built from: grids, states, settings, options."""
