//! What the pool tells JavaScript about its workers: rare things, each worth a JavaScript object.

use serde::Serialize;

/// One thing that happened, in order. `worker` is always the worker's id, `run` the run's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Note {
    /// A process was started in place of one that ended.
    Fork { worker: u32, pid: u32, pipes: Vec<(usize, i32)> },
    /// Node runs in it.
    Online { worker: u32 },
    /// A server listens in it; `text` is Node's message, in JSON.
    Listening { worker: u32, text: String },
    /// The program reached its call.
    Registered { worker: u32 },
    /// The user's own message, in JSON, sent before the package was loaded in the worker.
    Message { worker: u32, text: String },
    /// It is about to disconnect of its own will.
    Leaving { worker: u32 },
    /// It is released, to be replaced.
    Recycled { worker: u32 },
    /// Its channel has closed.
    Disconnect { worker: u32 },
    /// It exited.
    Exit { worker: u32, code: Option<i64>, signal: Option<String> },
    /// It ended again and again and is not replaced; the others go on.
    Retired { worker: u32, message: String },
    /// It exited because the pool shrinks, and is not replaced.
    Removed { worker: u32 },
    /// Nothing is wrong with it, but it may not be what the program wants: a line for the log.
    Hint { worker: u32, text: String },
    /// An event failed, and the run was stopped for that.
    Stopped { run: u16 },
    /// The run cannot go on; or the pool, if it has no run now.
    Failed {
        run: Option<u16>,
        name: String,
        code: String,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        stderr: Option<String>,
    },
    /// There is room now for these events, whose `Map`s wait for that.
    Room { run: u16, numbers: Vec<u64> },
    /// The master's JavaScript is to reduce all items of a flow's node.
    Reduce { run: u16, number: u64, node: usize },
    /// Every event that was handed over is answered.
    Drained { run: u16 },
    /// Every worker has exited.
    Closed,
}

impl Note {
    /// How many bytes a worker's words in it have.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Listening { text, .. } | Self::Message { text, .. } => text.len(),
            _ => 0,
        }
    }
}
