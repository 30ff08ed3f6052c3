//! The system's monotonic clock, which is the same in every process.

/// Milliseconds since some moment in the past.
pub(crate) fn clock() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// To microseconds, as far as a time in milliseconds can be trusted.
pub(crate) fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e3
}
