"""What tables of points say: pure functions, tables in, tables and numbers out."""
