"""What models cost: the tables of a profile study, its plots, and sentences from the numbers."""
