//! Promised: the exit of a child is known however it is waited for, and nothing is left of the child; a signal reaches the
//! child or nobody; a child has the descriptors that were placed, at any numbers.

use std::io::{PipeReader, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::*;
use crate::os::child::Stream;
use crate::tests::player::until;

fn recipe(script: &str) -> Recipe {
    Recipe {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: Vec::new(),
        cwd: None,
        stdio: vec![Stream::Ignore; 3],
        uid: None,
        gid: None,
        hides_window: false,
    }
}

fn start(script: &str) -> Child {
    Child::spawn(&recipe(script), Vec::new()).expect("a shell").0
}

/// As if the system had no pidfd.
fn without_pidfd(child: Child) -> Child {
    let running = Arc::into_inner(child.0).expect("nobody else has it");
    Child(Arc::new(Running { pidfd: None, ..running }))
}

fn is_zombie_or_alive(child: &Child) -> bool {
    test_kill_process(child.0.pid).is_ok()
}

fn awaited(watch: ExitWatch) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(watch.wait())
}

#[test]
fn an_exit_is_awaited_with_a_descriptor_with_a_thread_and_with_neither() {
    for kind in [|child| child, without_pidfd] {
        let child = kind(start("exit 3"));
        assert_eq!(awaited(child.watch()), Exit::Code(3));
        assert!(!is_zombie_or_alive(&child));
        let child = kind(start("sleep 60"));
        let watch = child.watch();
        child.kill_alone();
        assert_eq!(awaited(watch), Exit::Signal(Signal::KILL.as_raw()));
    }
    // No thread to spare.
    let child = without_pidfd(start("exit 4"));
    assert_eq!(awaited(ExitWatch::here(child)), Exit::Code(4));
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_waits_where_there_is_a_pidfd() {
    let child = start("sleep 60");
    assert!(matches!(child.watch(), ExitWatch::Here(_)));
    child.discard();
}

#[test]
fn a_child_is_reaped_though_nobody_waits_to_the_end() {
    let child = start("sleep 60");
    drop(child.watch());
    child.kill_alone();
    until("it is reaped", || !is_zombie_or_alive(&child));
    let child = start("sleep 60");
    child.discard();
    assert!(!is_zombie_or_alive(&child));
}

#[test]
fn a_signal_reaches_a_child_until_it_is_reaped() {
    for kind in [|child| child, without_pidfd] {
        let child = kind(start("sleep 60"));
        child.signal(0).expect("it lives");
        assert_eq!(child.signal(1000).expect_err("none").kind(), io::ErrorKind::InvalidInput);
        child.signal(Signal::TERM.as_raw()).expect("it lives");
        assert_eq!(child.block_until_exit(), Exit::Signal(Signal::TERM.as_raw()));
        child.signal(Signal::TERM.as_raw()).expect("nothing is done");
        child.signal(0).expect("nothing is done");
    }
}

#[test]
fn signals_have_the_names_that_node_gives_them() {
    let names = [(1, "SIGHUP"), (6, "SIGABRT"), (9, "SIGKILL"), (14, "SIGALRM"), (15, "SIGTERM")];
    for (number, name) in names {
        assert_eq!(Exit::Signal(number).signal().as_deref(), Some(name));
    }
    assert_eq!(Exit::Signal(1000).signal().as_deref(), Some("signal 1000"));
    assert_eq!(Exit::Code(1).signal(), None);
}

/// A pipe, whose end for a child has the number given or the next that is free.
fn pipe_at(number: RawFd) -> (OwnedFd, PipeReader) {
    let (ours, theirs) = std::io::pipe().expect("a pipe");
    (rustix::io::fcntl_dupfd_cloexec(&theirs, number).expect("a descriptor"), ours)
}

fn text_of(mut stream: impl Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

#[test]
fn descriptors_change_places() {
    let (first, from_first) = pipe_at(60);
    let (second, from_second) = pipe_at(60);
    let (at, other) = (second.as_raw_fd(), first.as_raw_fd());
    let mut recipe = recipe(&format!("echo first >/dev/fd/{at}; echo second >/dev/fd/{other}"));
    recipe.stdio[1] = Stream::Pipe;
    let (child, pipes) =
        Child::spawn(&recipe, vec![(first, at), (second, other)]).expect("a shell");
    assert_eq!(child.block_until_exit(), Exit::Code(0));
    assert_eq!([text_of(from_first), text_of(from_second)], ["first\n", "second\n"]);
    assert_eq!(pipes.len(), 1);
}

#[test]
fn a_program_that_cannot_be_executed_is_an_error_however_many_descriptors_are_placed() {
    let mut recipe = recipe("");
    recipe.program = "/dev/null/nowhere".into();
    let extra = (3..80).map(|at| (pipe_at(0).0, at)).collect();
    let error = Child::spawn(&recipe, extra).expect_err("there is no such program");
    assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
}
