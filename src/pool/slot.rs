//! The slot of one worker.

use super::connection::Connection;
use super::resize::Place;
use super::wake::WakeUp;

/// The slot of one worker, through all its replacements. How far the worker's life has come, the scheduler knows.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) worker: u32,
    /// What goes before the program for its Node.
    pub(super) node_args: Vec<String>,
    pub(super) connection: Option<Connection>,
    /// Exits in a row without an event run.
    pub(super) failures: u32,
    /// Its last process exited before this package was loaded there: the next one's error stream is copied.
    pub(super) is_unheard: bool,
    pub(super) wake_up: WakeUp,
    /// There are to be fewer workers, and this one is to go.
    pub(super) is_surplus: bool,
}

impl From<Place> for Slot {
    fn from(Place { worker, node_args }: Place) -> Self {
        Self {
            worker,
            node_args,
            connection: None,
            failures: 0,
            is_unheard: false,
            wake_up: WakeUp::None,
            is_surplus: false,
        }
    }
}
