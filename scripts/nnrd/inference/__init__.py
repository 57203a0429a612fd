"""Running a detector by hand, image by image: whole, or in two parts with a codec between them."""
