//! What tells a process from every other that had its pid: when it started, and where pids mean what they mean here.

/// When the process started that has this pid now, in a unit of the system's; none if there is none, or the system does not
/// tell.
#[cfg(unix)]
pub(crate) fn started(pid: u32) -> Option<u64> {
    super::tree::started(pid)
}

/// The same, in units of 100 ns. A process that has exited may still be open somewhere: it is gone all the same.
#[cfg(windows)]
pub(crate) fn started(pid: u32) -> Option<u64> {
    use windows_sys::Win32::Foundation::FILETIME;
    use windows_sys::Win32::System::Threading::{
        GetProcessTimes, OpenProcess, PROCESS_QUERY_LIMITED_INFORMATION,
    };

    use super::windows::{done, owned, raw};

    let mut times = [FILETIME { dwLowDateTime: 0, dwHighDateTime: 0 }; 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: it returns a new handle, or null.
    let process = unsafe { owned(OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid)) }.ok()?;
    // SAFETY: the handle is open; each of the four is written once.
    done(unsafe { GetProcessTimes(raw(&process), created, exited, kernel, user) }).ok()?;
    let ticks =
        |time: &FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    let has_exited = ticks(exited) != 0;
    (!has_exited).then(|| ticks(created))
}

/// A number of the place where pids mean what they mean here. Containers and machines may share a folder: a process of
/// another one is none of here, and may well be alive.
pub(crate) fn home() -> u32 {
    xxhash_rust::xxh3::xxh3_64(&place()) as u32
}

/// The namespace of pids, and the machine's name.
#[cfg(target_os = "linux")]
fn place() -> Vec<u8> {
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{} {}", namespace.display(), host.trim()).into_bytes()
}

/// The machine's number. Its name follows the network that it is in.
#[cfg(target_os = "macos")]
fn place() -> Vec<u8> {
    let mut id = [0; 16];
    let most = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: it writes 16 bytes, or none; the time is read before it returns.
    unsafe { libc::gethostuuid(id.as_mut_ptr(), &raw const most) };
    id.to_vec()
}

/// The machine's name.
#[cfg(windows)]
fn place() -> Vec<u8> {
    use windows_sys::Win32::System::SystemInformation::{
        ComputerNamePhysicalDnsHostname, GetComputerNameExW,
    };

    let mut name = [0_u16; 256];
    let mut length = name.len() as u32;
    let kind = ComputerNamePhysicalDnsHostname;
    // SAFETY: it writes as many units as `length` says at most.
    let is_known = unsafe { GetComputerNameExW(kind, name.as_mut_ptr(), &raw mut length) } != 0;
    let name = if is_known { &name[..length as usize] } else { &[] };
    name.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_same_start_whenever_it_is_asked_and_a_dead_one_has_none() {
        let own = started(std::process::id()).expect("it lives");
        assert_eq!(started(std::process::id()), Some(own));
        assert_eq!(started(u32::MAX - 1), None);
        assert_eq!(home(), home());
        assert_ne!(place(), [0; 16]);
        assert!(!place().is_empty());
    }
}
