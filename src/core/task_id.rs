//! The name of an event for its whole life, whichever lane or worker has it.

/// The run in the upper 16 bits, then one bit for events that the program handed to one worker itself, then the
/// number of the event among those of its run and kind. So the events of one run are ordered by submission.
pub(crate) type TaskId = u64;

/// The events that the program handed to one worker itself begin here.
pub(crate) const DIRECT: TaskId = 1 << 47;

/// The number of a run among those of its pool; used again when all others were.
pub(crate) type RunId = u16;

pub(crate) fn first_of(run: RunId) -> TaskId {
    TaskId::from(run) << 48
}

pub(crate) fn run_of(task: TaskId) -> RunId {
    (task >> 48) as RunId
}

pub(crate) fn is_direct(task: TaskId) -> bool {
    task & DIRECT != 0
}

/// The number among the events of its run and kind.
pub(crate) fn number_of(task: TaskId) -> u64 {
    task & (DIRECT - 1)
}

/// Where an event lies in a pool's lanes, or lay until its text was kept elsewhere: the lane, and the number there since
/// the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) lane: usize,
    pub(crate) at: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_names_its_run_its_kind_and_its_number() {
        for run in [0, 1, RunId::MAX] {
            let (first, last) = (first_of(run), first_of(run) + DIRECT - 1);
            for (task, number) in [(first, 0), (first + 7, 7), (last, DIRECT - 1)] {
                assert_eq!((run_of(task), is_direct(task), number_of(task)), (run, false, number));
                let direct = task + DIRECT;
                assert_eq!((run_of(direct), is_direct(direct)), (run, true));
                assert_eq!(number_of(direct), number);
            }
        }
    }
}
