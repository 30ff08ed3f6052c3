//! What the tests of several files share, and the test of the crate's layers.

mod fuzz;
mod layers;
pub(crate) mod player;
