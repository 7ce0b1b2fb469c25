//! Errors: an `errno`, and the capability that was missing when that is the reason.

use crate::grant::Capability;

/// Why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// The number that `OSError.errno` shows.
    pub errno: i32,
    /// The call was not granted; `errno` is `EACCES` then.
    pub denied: Option<Capability>,
}

/// The result of a call to the host.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the operating system.
    pub const fn os(errno: i32) -> Error {
        Error { errno, denied: None }
    }

    /// A capability was not granted.
    pub const fn denied(capability: Capability) -> Error {
        Error { errno: libc::EACCES, denied: Some(capability) }
    }

    /// The call was interrupted by a signal and may be tried again.
    pub const fn is_interrupted(self) -> bool {
        self.errno == libc::EINTR
    }

    /// The system's words for the number, as `os.strerror` gives them.
    pub fn message(self) -> String {
        message(self.errno)
    }
}

/// The system's words for an error number, as `os.strerror` gives them.
pub fn message(errno: i32) -> String {
    // The standard library appends the number in parentheses.
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let suffix = format!(" (os error {errno})");
    text.strip_suffix(&suffix).unwrap_or(&text).to_owned()
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.denied {
            Some(capability) => write!(f, "{} not granted to this interpreter", capability.name()),
            None => f.write_str(&self.message()),
        }
    }
}

impl std::error::Error for Error {}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Error {
        Error::os(errno.raw_os_error())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        use std::io::ErrorKind;
        Error::os(error.raw_os_error().unwrap_or(match error.kind() {
            ErrorKind::InvalidInput => libc::EINVAL,
            ErrorKind::OutOfMemory => libc::ENOMEM,
            _ => libc::EIO,
        }))
    }
}
