//! What a program allows its workers. Plain numbers; lib/options.js checks them, who keeps to them is the
//! pool's business. None: nobody looks.

/// See `RunOptions` in index.d.ts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    /// The most milliseconds that an event may run.
    pub(crate) task_timeout: Option<u32>,
}
