//! The system's monotonic clock, which is the same in every process.

/// Milliseconds since some moment in the past.
#[cfg(unix)]
pub(crate) fn clock() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// Milliseconds since some moment in the past.
#[cfg(windows)]
pub(crate) fn clock() -> f64 {
    use windows_sys::Win32::System::Performance::{
        QueryPerformanceCounter, QueryPerformanceFrequency,
    };

    let (mut count, mut frequency) = (0, 0);
    // SAFETY: each writes one number. They cannot fail on any Windows that Node runs on.
    unsafe {
        QueryPerformanceFrequency(&raw mut frequency);
        QueryPerformanceCounter(&raw mut count);
    }
    count as f64 * 1e3 / frequency as f64
}

/// Rounded to microseconds.
pub(crate) fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}
