"""What one run of a model costs: time, operations, memory, energy. It knows no study."""
