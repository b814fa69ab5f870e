"""What controls share, and the meter that measures what each of them did."""
