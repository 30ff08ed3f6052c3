//! Folders and files of this user alone, reads and writes at a position.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Creates a folder that only this user may enter. One that exists must be such a folder: somebody else may have guessed
/// its name.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    match builder().create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(path),
        done => done,
    }
}

/// Creates a folder and those that it is in, where they are missing.
pub(crate) fn folders(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

/// Opens a file of this user alone, to be written at its end.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    restrict(&mut options);
    options.open(path)
}

/// Opens a file of this user alone, to be read and written at any position, and creates it if it is missing. As long as it
/// is open nobody else opens it so, in this process or another: they get [`io::ErrorKind::WouldBlock`].
pub(crate) fn exclusive(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    restrict(&mut options);
    let file = options.open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Writes all of these bytes at this offset.
pub(crate) fn write_at(file: &File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match write_piece(file, bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = &bytes[count..];
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Has the disk know that there is a new file of this path.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The file system's journal sees to that there.
#[cfg(windows)]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Fills the buffer from the file at this offset; returns how many bytes there were.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match piece(file, &mut buffer[len..], offset + len as u64) {
            Ok(0) => break,
            Ok(count) => len += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

#[cfg(unix)]
fn piece(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn piece(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

#[cfg(unix)]
fn write_piece(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_piece(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

#[cfg(unix)]
fn builder() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;

    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// The folder for temporary files is the user's own there.
#[cfg(windows)]
fn builder() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(unix)]
fn restrict(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;

    options.mode(0o600);
}

#[cfg(windows)]
fn restrict(_options: &mut OpenOptions) {}

#[cfg(unix)]
fn check_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let about = std::fs::symlink_metadata(path)?;
    let is_ours = about.uid() == rustix::process::geteuid().as_raw();
    let others = about.mode() & 0o077;
    if about.is_dir() && is_ours && others == 0 {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "it exists, but is no folder that only this user may enter",
    ))
}

#[cfg(windows)]
fn check_private(path: &Path) -> io::Result<()> {
    if std::fs::symlink_metadata(path)?.is_dir() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "it exists, but is no folder"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let path = std::env::temp_dir().join(format!("sonic-file-{}", std::process::id()));
        private_folder(&path).expect("it is created");
        private_folder(&path).expect("it is there");
        let open = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        let mode = path.metadata().expect("a folder").permissions().mode() & 0o777;
        open(0o711).expect("it is open");
        let refused = private_folder(&path);
        std::fs::remove_dir(&path).expect("it is removed");
        assert_eq!(mode, 0o700);
        assert_eq!(refused.map_err(|error| error.kind()), Err(io::ErrorKind::PermissionDenied));
    }
}
