//! What comes in by HTTP, as bytes; what goes out, as observations and vectors. No Redis, no clock.
