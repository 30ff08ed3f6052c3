//! Promised: of a process that is killed, nothing is left that it started, however deep, however fast it
//! starts more; and nobody else is touched, whoever has the pid by now.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::tests::player::until;

/// A shell that prints a line when everything it is to start has been started.
struct Shell(Child);

impl Shell {
    fn start(script: &str) -> Self {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        Self(child)
    }

    fn identity(&self) -> Identity {
        identity(self.0.id()).expect("it lives")
    }

    /// Ends it as `Child::kill` does.
    fn kill_tree(&mut self) {
        let identity = self.identity();
        // SAFETY: a child of this process that nobody has waited for.
        unsafe { libc::kill(self.0.id().cast_signed(), libc::SIGSTOP) };
        kill_descendants(identity);
        self.0.kill().expect("it is not waited for yet");
        let status = self.0.wait().expect("it can be waited for");
        assert_eq!(status.signal(), Some(libc::SIGKILL));
    }
}

/// The processes whose command line has this mark in it, but for those that are dead, each with that line.
fn marked(mark: &str) -> Vec<(u32, String)> {
    let mut lines = command_lines();
    lines.retain(|(_, line)| line.contains(mark));
    lines
}

#[cfg(target_os = "linux")]
fn command_lines() -> Vec<(u32, String)> {
    let line = |pid: u32| std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = |pid| String::from_utf8_lossy(&line(pid)).replace('\0', " ");
    system::pids().into_iter().map(|pid| (pid, text(pid))).collect()
}

#[cfg(not(target_os = "linux"))]
fn command_lines() -> Vec<(u32, String)> {
    let output = Command::new("ps").args(["-A", "-ww", "-o", "pid=,command="]).output();
    let text = String::from_utf8_lossy(&output.expect("a list").stdout).into_owned();
    let lines = text.lines().filter_map(|line| line.trim_start().split_once(' '));
    lines.filter_map(|(pid, line)| Some((pid.parse().ok()?, line.to_owned()))).collect()
}

/// The seconds that this test's sleepers sleep, and nobody else's.
fn mark(test: u32) -> String {
    format!("60.{test}{}", std::process::id())
}

#[test]
fn a_process_is_killed_with_its_children_and_theirs() {
    let mark = mark(1);
    let sleeper = format!("sleep {mark}");
    let mut shell = Shell::start(&format!(
        "sh -c '{sleeper} & {sleeper} & wait' & sh -c 'sh -c \"{sleeper} & {sleeper}\" & wait' & \
         echo ready; wait"
    ));
    let mut bystander = Shell::start("echo ready; sleep 60");
    // Two shells have the mark in their command lines too, and a third until it is a sleeper.
    let is_sleep = |(_, line): &&(u32, String)| line.starts_with("sleep ");
    until("all sleep", || marked(&mark).iter().filter(is_sleep).count() == 4);
    shell.kill_tree();
    until("everything is gone", || marked(&mark).is_empty());
    assert!(matches!(bystander.0.try_wait(), Ok(None)), "a bystander was killed");
    bystander.kill_tree();
}

#[test]
fn whoever_goes_on_with_a_kill_that_was_cut_off_finds_all_that_are_left() {
    let mut is_whole = false;
    for killed in 0.. {
        let mark = mark(50 + killed);
        let family =
            "sh -c 'sleep MARK & sleep MARK & wait' & sh -c 'sh -c \"sleep MARK; true\" & wait'";
        let script = format!("{family} & echo ready; wait").replace("MARK", &mark);
        let mut shell = Shell::start(&script);
        let is_sleep = |(_, line): &&(u32, String)| line.starts_with("sleep ");
        until("all sleep", || marked(&mark).iter().filter(is_sleep).count() == 3);
        // SAFETY: a child of this process that nobody has waited for.
        unsafe { libc::kill(shell.0.id().cast_signed(), libc::SIGSTOP) };
        let family = stop_descendants(shell.identity());
        is_whole |= family.len() <= killed as usize;
        for member in to_kill(&family).take(killed as usize) {
            signal(member, Signal::KILL);
        }
        shell.kill_tree();
        until("everything is gone", || marked(&mark).is_empty());
        if is_whole {
            return;
        }
    }
}

#[test]
fn a_process_that_forks_fast_leaves_nothing() {
    for round in 0..10 {
        let mark = mark(20 + round);
        let mut shell = Shell::start(&format!(
            "echo ready; i=0; while [ $i -lt 300 ]; do sh -c 'sleep {mark} & sleep {mark} & wait' & \
             i=$((i + 1)); done; wait"
        ));
        until("some are there", || marked(&mark).len() > 10);
        shell.kill_tree();
        until("everything is gone", || marked(&mark).is_empty());
    }
}

#[test]
fn whoever_has_the_pid_of_another_is_left_alone() {
    let mut shell = Shell::start("sleep 60 & echo ready; wait");
    let Identity { pid, started } = shell.identity();
    kill_descendants(Identity { pid, started: started + 1 });
    let has_child = system::pids().into_iter().filter_map(system::stat).any(|it| it.parent == pid);
    assert!(has_child, "the child of another was killed");
    shell.kill_tree();
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_may_have_brackets_and_spaces_in_it() {
    let rest = "S 7 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 4242 0 0";
    let stopped = rest.replacen('S', "T", 1);
    assert_eq!(linux::parsed(&format!("1 (a) b) (c) {rest}\n")), Some((7, 4242, false)));
    assert_eq!(linux::parsed(&format!("1 (x) {stopped}")), Some((7, 4242, true)));
    for torn in ["", "1 (x", "1 (x) S", "1 (x) S 7 1 1 0", "1 (x) S seven"] {
        assert_eq!(linux::parsed(torn), None, "{torn}");
    }
}
