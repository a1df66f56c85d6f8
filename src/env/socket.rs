//! A socket between processes of one user, for frames of bytes and, with them, open files.
//!
//! A frame is its length (four bytes, big-endian) and as many bytes; a file goes along with the first of them.

use super::files::make_private_folders;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The longest frame, in bytes.
const FRAME_MAX: usize = 4 << 20;

/// Something about the socket is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Somebody listens there already.
    #[error("somebody listens at `{}` already", .0.display())]
    Taken(PathBuf),
    /// What lies there is not of this user alone.
    #[error("`{}` {why}: it was put there by somebody else, and is not used", path.display())]
    Planted {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The system refused.
    #[error("cannot {what} `{}`: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SocketError {
    let path = path.to_owned();
    move |source| SocketError::Io { what, path, source }
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The folder must be this user's, and closed to everybody else: what lies in it then is this user's doing.
fn check_folder(folder: &Path) -> Result<(), SocketError> {
    let found = std::fs::symlink_metadata(folder).map_err(failed("look at", folder))?;
    let why = match (found.is_dir(), found.uid() == me(), found.mode() & 0o077) {
        (true, true, 0) => return Ok(()),
        (false, _, _) => "is not a folder",
        (_, false, _) => "belongs to another user",
        _ => "is open to other users",
    };
    let path = folder.to_owned();
    Err(SocketError::Planted { path, why })
}

fn check_socket(path: &Path) -> Result<bool, SocketError> {
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        found => found.map_err(failed("look at", path))?,
    };
    let why = match (found.file_type().is_socket(), found.uid() == me()) {
        (true, true) => return Ok(true),
        (false, _) => "is not a socket",
        (_, false) => "belongs to another user",
    };
    let path = path.to_owned();
    Err(SocketError::Planted { path, why })
}

fn is_mine(stream: &UnixStream) -> bool {
    // Elsewhere the folder's and the socket's modes have to do.
    #[cfg(target_os = "linux")]
    return rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid.as_raw() == me());
    #[cfg(not(target_os = "linux"))]
    return stream.peer_addr().is_ok();
}

/// Listens for processes of this user. The socket goes away with it.
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Listener {
    /// Listens at `path` (mode 0600, its folder made with 0700). A socket that nobody listens at any more is replaced.
    pub fn bind(path: &Path) -> Result<Self, SocketError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        make_private_folders(folder).map_err(|error| failed("make", folder)(io::Error::other(error.to_string())))?;
        check_folder(folder)?;
        if check_socket(path)? {
            match UnixStream::connect(path) {
                Ok(_) => return Err(SocketError::Taken(path.to_owned())),
                Err(_) => std::fs::remove_file(path).map_err(failed("remove", path))?,
            }
        }
        let listener = UnixListener::bind(path).map_err(failed("listen at", path))?;
        let own = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, own).map_err(failed("close to others", path))?;
        let inode = std::fs::symlink_metadata(path).map_err(failed("look at", path))?.ino();
        Ok(Self {
            listener,
            path: path.to_owned(),
            inode,
        })
    }

    /// Whether it can still be reached: the runtime directory may have been renewed, or somebody else listens there.
    pub fn is_reachable(&self) -> bool {
        std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode)
    }

    /// The next process of this user that comes, if one does before `patience` ends. Others are turned away.
    pub fn next(&self, patience: Duration) -> io::Result<Option<Wire>> {
        let mut waits = [PollFd::new(&self.listener, PollFlags::IN)];
        let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
        match poll(&mut waits, Some(&patience)) {
            Err(rustix::io::Errno::INTR) | Ok(0) => return Ok(None),
            polled => polled?,
        };
        let (stream, _) = self.listener.accept()?;
        Ok(is_mine(&stream).then_some(Wire(stream)))
    }
}

/// Removes a socket of this user's at which nobody listens any more; says whether there was one.
pub fn remove_stale_socket(path: &Path) -> Result<bool, SocketError> {
    if Wire::connect(path)?.is_some() || !check_socket(path)? {
        return Ok(false);
    }
    std::fs::remove_file(path)
        .map_err(failed("remove", path))
        .map(|()| true)
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.is_reachable() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What came over a wire: bytes, wiped when dropped, and the file that came with them.
pub type Frame = (Zeroizing<Vec<u8>>, Option<File>);

/// Somebody at the other end, of this user.
pub struct Wire(UnixStream);

/// To be waited for beside something else: it wakes when the other end says something, or is gone.
impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Wire {
    /// Whoever listens at `path`; `None` if nobody does. Refuses what another user could have put there.
    pub fn connect(path: &Path) -> Result<Option<Self>, SocketError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        if std::fs::symlink_metadata(folder).is_err() {
            return Ok(None);
        }
        check_folder(folder)?;
        if !check_socket(path)? {
            return Ok(None);
        }
        match UnixStream::connect(path) {
            Ok(stream) if is_mine(&stream) => Ok(Some(Self(stream))),
            Ok(_) => Err(SocketError::Planted {
                path: path.to_owned(),
                why: "is listened at by another user",
            }),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(failed("connect to", path)(error)),
        }
    }

    /// Two ends, of which one may be handed to a child process.
    pub fn pair() -> io::Result<(Self, Self)> {
        UnixStream::pair().map(|(one, other)| (Self(one), Self(other)))
    }

    /// The end that this process was given as its standard input.
    pub fn of_standard_input() -> io::Result<Self> {
        let given = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        // A file or a terminal is no socket.
        given.local_addr()?;
        Ok(Self(given))
    }

    /// As what a child process is given for its standard input.
    pub fn into_file(self) -> File {
        File::from(OwnedFd::from(self.0))
    }

    /// Waits for the other end no longer than this.
    pub fn patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(patience)
    }

    /// Sends a frame.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.send_with(frame, None)
    }

    /// Sends a frame and an open file.
    pub fn send_with(&self, frame: &[u8], file: Option<&File>) -> io::Result<()> {
        let length = u32::try_from(frame.len()).ok().filter(|_| frame.len() <= FRAME_MAX);
        let length = length.ok_or_else(|| io::Error::other("this is too long to be sent at once"))?;
        let length = length.to_be_bytes();
        let fds: Vec<_> = file.iter().map(|file| file.as_fd()).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !along.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::Error::other("a file cannot be handed over"));
        }
        let sent = loop {
            match rustix::net::sendmsg(&self.0, &[IoSlice::new(&length)], &mut along, SendFlags::NOSIGNAL) {
                Err(rustix::io::Errno::INTR) => {}
                sent => break sent?,
            }
        };
        let mut stream = &self.0;
        stream.write_all(&length[sent..])?;
        stream.write_all(frame)
    }

    /// The next frame and the file that came with it; `None` when the other end is gone.
    pub fn receive(&self) -> io::Result<Option<Frame>> {
        let mut length = [0; 4];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut along = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let got = loop {
            let mut into = [IoSliceMut::new(&mut length)];
            match rustix::net::recvmsg(&self.0, &mut into, &mut along, flags) {
                Err(rustix::io::Errno::INTR) => {}
                got => break got?.bytes,
            }
        };
        if got == 0 {
            return Ok(None);
        }
        let files = along.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let file = files.flatten().map(|fd: OwnedFd| File::from(fd)).last();
        let mut stream = &self.0;
        stream.read_exact(&mut length[got..])?;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME_MAX {
            return Err(io::Error::other("a frame is too long"));
        }
        let mut frame = Zeroizing::new(vec![0; length]);
        stream.read_exact(&mut frame)?;
        Ok(Some((frame, file)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Seek;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/agent");
        (folder, path)
    }

    #[test]
    fn frames_and_files_cross_whole() {
        let (one, other) = Wire::pair().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"content").unwrap();
        file.rewind().unwrap();
        let long = vec![7; 300_000];
        let sender = std::thread::spawn(move || {
            one.send(b"").unwrap();
            one.send_with(b"with a file", Some(&file)).unwrap();
            one.send(&long).unwrap();
            assert!(one.send(&vec![0; FRAME_MAX + 1]).is_err());
        });
        let (frame, file) = other.receive().unwrap().unwrap();
        assert!(frame.is_empty() && file.is_none());
        let (frame, file) = other.receive().unwrap().unwrap();
        assert_eq!(frame.as_slice(), b"with a file");
        let mut content = String::new();
        file.unwrap().read_to_string(&mut content).unwrap();
        assert_eq!(content, "content");
        assert_eq!(other.receive().unwrap().unwrap().0.len(), 300_000);
        assert!(other.receive().unwrap().is_none());
        sender.join().unwrap();
    }

    #[test]
    fn a_frame_that_says_it_is_too_long_is_refused() {
        let (one, other) = Wire::pair().unwrap();
        (&one.0).write_all(&u32::MAX.to_be_bytes()).unwrap();
        assert!(other.receive().is_err());
        let (one, other) = Wire::pair().unwrap();
        (&one.0).write_all(&[0, 0, 0, 9, 1]).unwrap();
        drop(one);
        assert!(other.receive().is_err());
    }

    #[test]
    fn one_listens_and_another_comes() {
        let (_folder, path) = place();
        assert!(Wire::connect(&path).unwrap().is_none());
        let listener = Listener::bind(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().mode() & 0o777, 0o700);
        assert!(matches!(Listener::bind(&path), Err(SocketError::Taken(_))));
        // The question whether somebody listens was a visit too.
        let _ = listener.next(Duration::from_secs(5)).unwrap();
        assert!(listener.next(Duration::from_millis(10)).unwrap().is_none());
        let wire = Wire::connect(&path).unwrap().unwrap();
        let met = listener.next(Duration::from_secs(5)).unwrap().unwrap();
        wire.send(b"hello").unwrap();
        assert_eq!(met.receive().unwrap().unwrap().0.as_slice(), b"hello");
        drop(listener);
        assert!(!path.exists());
    }

    #[test]
    fn a_stale_socket_is_replaced_and_a_planted_thing_is_not_used() {
        let (folder, path) = place();
        make_private_folders(path.parent().unwrap()).unwrap();
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists() && Wire::connect(&path).unwrap().is_none());
        assert!(remove_stale_socket(&path).unwrap() && !path.exists());
        assert!(!remove_stale_socket(&path).unwrap());
        let living = Listener::bind(&path).unwrap();
        assert!(!remove_stale_socket(&path).unwrap() && path.exists());
        drop(living);
        drop(UnixListener::bind(&path).unwrap());
        drop(Listener::bind(&path).unwrap());
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(Wire::connect(&path), Err(SocketError::Planted { .. })));
        assert!(matches!(Listener::bind(&path), Err(SocketError::Planted { .. })));
        std::fs::remove_file(&path).unwrap();
        let real = folder.path().join("elsewhere");
        let _listener = UnixListener::bind(&real).unwrap();
        std::os::unix::fs::symlink(&real, &path).unwrap();
        assert!(matches!(Wire::connect(&path), Err(SocketError::Planted { .. })));
        std::fs::remove_file(&path).unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(path.parent().unwrap(), open).unwrap();
        assert!(matches!(Listener::bind(&path), Err(SocketError::Planted { .. })));
        assert!(matches!(Wire::connect(&path), Err(SocketError::Planted { .. })));
    }
}
