"""What all rooms stand on: errors, files, schemas, sheets, registries. It knows no other room."""
