//! The console: the same commands and the same posts, typed and shown in a terminal.

pub mod files;
pub mod line;
pub mod prompt;
pub mod render;
pub mod session;
pub mod svg;
