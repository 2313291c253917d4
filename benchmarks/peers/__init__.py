"""Other converters, one file each, given the same network and the same calibration images as ours."""
