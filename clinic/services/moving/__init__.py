"""What moving in writes, one module for each sort of row."""
