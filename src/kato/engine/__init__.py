"""What thinking is: values in, values out. No disk, no network, no clock, no randomness."""
