//! What is due: a pure function of what is on record and the instant.
