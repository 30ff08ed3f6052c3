//! Errors that say what was tried with which system call, so that advice can be given.

use std::io;

/// What a system call was for, as far as advice differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Memory, sockets, threads and event loops.
    Resource,
    /// The folder that a worker is started in.
    #[cfg_attr(windows, expect(dead_code, reason = "the error does not tell it from others there"))]
    Folder,
    /// The process itself.
    Process,
}

#[derive(Debug, thiserror::Error)]
#[error("{what} ({call}): {source}")]
struct Tried {
    step: Step,
    what: String,
    call: &'static str,
    source: io::Error,
}

/// Turns an error of the system call `call` into one that says what was tried with it.
pub(crate) fn tried<E: Into<io::Error>>(
    step: Step,
    what: impl Into<String>,
    call: &'static str,
) -> impl FnOnce(E) -> io::Error {
    let what = what.into();
    move |error| {
        let source = error.into();
        io::Error::new(source.kind(), Tried { step, what, call, source })
    }
}

/// The system's number of an error, and what was tried with which call, if the error says so.
pub(crate) fn origin(error: &io::Error) -> (Option<i32>, Option<(Step, &'static str)>) {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Tried>());
    match inner {
        Some(tried) => (tried.source.raw_os_error(), Some((tried.step, tried.call))),
        None => (error.raw_os_error(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_tried_and_keeps_its_number() {
        let plain = || io::Error::from_raw_os_error(1);
        let error = tried::<io::Error>(Step::Resource, "creating it", "create")(plain());
        assert_eq!(error.to_string(), format!("creating it (create): {}", plain()));
        assert_eq!(error.kind(), plain().kind());
        assert_eq!(origin(&error), (Some(1), Some((Step::Resource, "create"))));
        assert_eq!(origin(&plain()), (Some(1), None));
        assert_eq!(origin(&io::ErrorKind::NotFound.into()), (None, None));
    }
}
