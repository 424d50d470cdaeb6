//! The console: the same commands without a chat. A person types, files are paths, posts are shown as their
//! channel would show them.
//!
//! [`line`] understands what is typed, [`prompt`] edits and completes it, [`files`] finds what it names,
//! [`render`] and [`svg`] show what comes of it. Nothing here carries a command out.

pub mod files;
pub mod line;
pub mod prompt;
pub mod render;
pub mod svg;
