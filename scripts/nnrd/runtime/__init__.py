"""What runs models and measures them: sessions, devices, the one stopwatch."""
