"""Between protobuf messages and our own: the only room that touches protobuf fields."""
