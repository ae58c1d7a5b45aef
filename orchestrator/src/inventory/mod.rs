//! What stands in the laboratory.
