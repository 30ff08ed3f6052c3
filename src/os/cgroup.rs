//! Whether the kernel kills processes of this control group because memory runs out. It does not tell which: it only counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Processes that exit within this time after the count rose are taken for the killed ones, up to as many as were counted:
/// several workers may be killed at once.
const TOGETHER: Duration = Duration::from_secs(1);

const MOUNT: &str = "/sys/fs/cgroup";

/// The count of kills, and when it last rose. The default watches nothing.
///
/// If another process of the group is killed for lack of memory, and a worker for another reason before the next check, the
/// worker is taken for the counted one. So the count is checked often.
#[derive(Debug, Default)]
pub(crate) struct Kills {
    file: Option<PathBuf>,
    count: u64,
    risen: Option<Instant>,
    /// How many of those that were counted then have not been seen to exit.
    unseen: u64,
}

impl Kills {
    /// Watches this process's group from now on.
    pub(crate) fn watch() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::of(candidates(&groups, Path::new(MOUNT)))
    }

    fn of(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let readable = files.into_iter().find_map(|file| Some((count_in(&file)?, file)));
        readable.map_or_else(Self::default, |(count, file)| Self {
            file: Some(file),
            count,
            risen: None,
            unseen: 0,
        })
    }

    /// Reads the count.
    pub(crate) fn look(&mut self) {
        let Some(count) = self.file.as_deref().and_then(count_in) else { return };
        let is_recent = self.risen.is_some_and(|risen| risen.elapsed() < TOGETHER);
        if !is_recent {
            self.unseen = 0;
        }
        if count > self.count {
            self.unseen += count - self.count;
            self.risen = Some(Instant::now());
        }
        self.count = count;
    }

    /// Whether a process that has just been killed was killed for lack of memory, as far as is known.
    pub(crate) fn has_killed(&mut self) -> bool {
        self.look();
        let is_counted = self.unseen > 0;
        self.unseen = self.unseen.saturating_sub(1);
        is_counted
    }
}

/// The files that may have the count of a process in these groups, best first. In a container the group's path may exist only
/// on the host: then its own group is the mount's root.
fn candidates(groups: &str, mount: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) =
            (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let path = path.trim_start_matches('/');
        if controllers.split(',').any(|name| name == "memory") {
            let mount = mount.join("memory");
            files.push(mount.join(path).join("memory.oom_control"));
            files.push(mount.join("memory.oom_control"));
        } else if number == "0" {
            files.push(mount.join(path).join("memory.events"));
            files.push(mount.join("memory.events"));
        }
    }
    files
}

fn count_in(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_looked_for_where_either_version_has_it() {
        let mount = Path::new("/m");
        let v2 = candidates("0::/user.slice/a:b\n", mount);
        assert_eq!(v2, ["/m/user.slice/a:b/memory.events", "/m/memory.events"].map(PathBuf::from));
        let v1 = candidates("9:name=systemd:/\n4:cpu,memory:/docker/7\n0::/\n", mount);
        assert_eq!(
            v1[..2],
            ["/m/memory/docker/7/memory.oom_control", "/m/memory/memory.oom_control"]
                .map(PathBuf::from)
        );
        assert!(candidates("nonsense\n\n7:memories:/x", mount).is_empty());
    }

    #[test]
    fn as_many_as_were_counted_of_those_that_end_soon_after_were_killed() {
        let folder = std::env::temp_dir().join(format!("sonic-cgroup-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("memory.events");
        let set = |text: &str| fs::write(&file, text).expect("a file");
        set("low 0\noom 9\noom_kill 4\noom_group_kill 0\n");
        let mut kills = Kills::of([folder.join("none"), file.clone()]);
        assert!(!kills.has_killed());
        set("low 0\noom 9\noom_kill 6\n");
        assert!(kills.has_killed() && kills.has_killed());
        assert!(!kills.has_killed(), "two were counted, and two have ended");
        set("low 0\noom 9\noom_kill 7\n");
        kills.look();
        kills.risen = kills.risen.and_then(|risen| risen.checked_sub(TOGETHER));
        assert!(!kills.has_killed(), "what was killed long ago is no worker that ends now");
        set("low 0\noom 9\noom_kill 8\n");
        kills.look();
        kills.look();
        assert!(kills.has_killed(), "one that ends just after a look");
        set("garbage");
        assert!(!kills.has_killed());
        fs::remove_dir_all(&folder).expect("it is there");
        assert!(!kills.has_killed() && !Kills::default().has_killed());
    }
}
