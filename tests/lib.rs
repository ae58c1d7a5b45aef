//! The whole system end to end; everything lives in `it/`.
