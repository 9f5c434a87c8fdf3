"""The folder of a generated world: messages by source, the other systems' files, and the truth apart."""
