//! The normative clocks of ISO/IEC 17021-1:2015 and the body's contract limits.
