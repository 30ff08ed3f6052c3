//! What the tests of several files share, and the test of the crate's layers.

mod fuzz;
// It reads the sources, which are the same everywhere but for how Windows names them and ends their lines.
#[cfg(not(windows))]
mod layers;
pub(crate) mod player;
