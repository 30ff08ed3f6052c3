//! Promised: a worker that exited is replaced, later and later, until it exited three times in a row without an event
//! run, or did not start in time; then the error says what is known and what to do.

use super::*;

/// The judgement of an ending, in words.
fn judged(ending: Ending) -> String {
    match judge(ending) {
        Verdict::Restart(delay) => format!("restart after {} ms", delay.as_millis()),
        Verdict::Retire(error) => format!("{}: {error}", error.code()),
    }
}

fn refusal() -> Error {
    Error::Refused {
        worker: 3,
        name: "Error".into(),
        code: "ERR_SONIC_WORKER_FILE".into(),
        message: "it threw".into(),
    }
}

#[test]
fn what_follows_from_an_ending() {
    let ending = |registered, timed_out, proven, failures| Ending {
        worker: 3,
        exit: Exit::Code(1),
        reached: if registered { Reached::Call } else { Reached::Package },
        timed_out,
        proven,
        failures,
        said: Said { uncaught: Some("Error: x".into()), exits: None },
        search: Box::new(Search { title: "the call at job.js:3:7".into(), passed: Vec::new() }),
        stderr: String::new(),
        deadline: Duration::from_mins(1),
        unprepared: None,
        refusal: None,
    };
    let refused =
        |failures| Ending { refusal: Some(refusal()), ..ending(false, false, false, failures) };
    let unprepared = |failures| Ending {
        unprepared: Some(Unprepared { title: "\"init\"".into(), what: "Error: y".into() }),
        ..ending(true, false, false, failures)
    };
    let cases = [
        (ending(true, false, true, 0), "restart after 0 ms"),
        (ending(true, false, false, 1), "restart after 0 ms"),
        (ending(true, false, false, 2), "restart after 100 ms"),
        (ending(false, false, false, 2), "restart after 100 ms"),
        // Whoever ran an event is replaced, whatever came before.
        (ending(true, false, true, 3), "restart after 200 ms"),
        (
            ending(true, false, false, 3),
            "ERR_SONIC_WORKER_START: worker 3 exited with code 1 again and again without having \
             run an event: Error: x; workers run the program too, what comes after the call \
             included, and the call resolves to undefined there: what only the master is to do \
             belongs behind isMaster()",
        ),
        (refused(2), "restart after 100 ms"),
        (refused(3), "ERR_SONIC_WORKER_FILE: it threw"),
        (unprepared(2), "restart after 100 ms"),
        (
            unprepared(3),
            "ERR_SONIC_WORKER_START: \"init\", which each worker runs first, failed 3 times in a row in worker 3: \
             Error: y",
        ),
        // Nobody has thrown anything.
        (
            Ending {
                exit: Exit::Signal(9),
                said: Said::default(),
                ..ending(true, false, false, 3)
            },
            "ERR_SONIC_WORKER_START: worker 3 was killed by SIGKILL again and again without having \
             run an event",
        ),
        (
            ending(false, false, false, 3),
            "ERR_SONIC_WORKER_START: worker 3 exited with code 1 without reaching the call \
             at job.js:3:7 (3 attempts): Error: x; the worker re-runs the program, which must reach the same \
             call",
        ),
        (
            Ending {
                said: Said { uncaught: None, exits: Some("process.exit(1) at /a.js:3:9".into()) },
                ..ending(true, false, false, 3)
            },
            "ERR_SONIC_WORKER_START: worker 3 exited with code 1 again and again without having \
             run an event: it called process.exit(1) at /a.js:3:9; workers run the program too, \
             what comes after the call included, and the call resolves to undefined there: exit \
             only if isMaster(), or set process.exitCode instead",
        ),
        (
            Ending {
                said: Said::default(),
                stderr: format!("{}SyntaxError: x\n\n", "line\n".repeat(50)),
                ..ending(false, false, false, 3)
            },
            &format!(
                "ERR_SONIC_WORKER_START: worker 3 exited with code 1 without reaching the call \
                 at job.js:3:7 (3 attempts); the worker re-runs the program, which must reach the same \
                 call. It last wrote to stderr:\n{}SyntaxError: x",
                "line\n".repeat(23)
            ),
        ),
        (
            Ending { reached: Reached::Nothing, ..ending(false, true, false, 1) },
            "ERR_SONIC_WORKER_START: worker 3 did not load @tiemma/sonic-distribute within 60000 ms: \
             either the program does not come to that there, or its Node stands still, as it may \
             where it gets no thread (`ulimit -u`, the process limit of a container) \
             (SONIC_DISTRIBUTE_START_TIMEOUT sets the deadline in ms)",
        ),
        // A program that takes too long once takes too long again.
        (
            ending(false, true, false, 1),
            "ERR_SONIC_CALL_UNREACHABLE: worker 3 did not reach the call at job.js:3:7 within 60000 ms; the worker \
             re-runs the program, which must reach the same call there too: what only the \
             master needs before it belongs behind isMaster() (SONIC_DISTRIBUTE_START_TIMEOUT sets the deadline in ms)",
        ),
    ];
    for (ending, expected) in cases {
        let name = format!("{ending:?}");
        assert_eq!(judged(ending), expected, "{name}");
    }
}
