//! A Discord of our own on loopback, people to use it, faults to order, a wall clock that jumps, and the real
//! binary as a process.

pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod daemon;
pub(crate) mod discord;
pub(crate) mod disk;
pub(crate) mod faults;
pub(crate) mod gateway;
pub(crate) mod impostor;
pub(crate) mod interact;
pub(crate) mod limits;
pub(crate) mod rest;
pub(crate) mod shim;
pub(crate) mod spec;
pub(crate) mod world;
