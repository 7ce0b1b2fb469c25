//! Waiting for many descriptors: `select` and `epoll`.

use crate::error::{Error, Result};
use crate::grant::Host;
use std::os::fd::AsRawFd;
use std::time::Duration;

/// One more than the greatest descriptor that [`Host::select`] takes.
pub const SELECT_LIMIT: i32 = libc::FD_SETSIZE as i32;

/// A descriptor and what has happened to it (`EPOLLIN`, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpollEvent {
    pub fd: i32,
    pub events: u32,
}

fn number(result: i32) -> Result<i32> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

impl Host {
    fn fd_set(&self, fds: &[i32]) -> Result<libc::fd_set> {
        // SAFETY: zeroes are a valid set, and `FD_SET` gets numbers that fit it.
        unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            for &fd in fds {
                if !(0..SELECT_LIMIT).contains(&fd) {
                    return Err(Error::os(libc::EBADF));
                }
                libc::FD_SET(self.fd(fd)?.as_raw_fd(), &mut set);
            }
            Ok(set)
        }
    }

    /// Waits until one of the descriptors can be read, written, or has something exceptional; `None` waits for ever. The three lists of
    /// those that can.
    pub fn select(&self, lists: [&[i32]; 3], timeout: Option<Duration>) -> Result<[Vec<i32>; 3]> {
        let mut sets = [self.fd_set(lists[0])?, self.fd_set(lists[1])?, self.fd_set(lists[2])?];
        let most = lists.iter().flat_map(|list| list.iter()).max().map_or(0, |fd| fd + 1);
        let mut time = timeout.map(|timeout| libc::timeval {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_usec: i64::from(timeout.subsec_nanos().div_ceil(1000)).min(999_999),
        });
        let [read, write, except] = &mut sets;
        // SAFETY: the sets and the time are valid for the call.
        number(unsafe {
            libc::select(most, read, write, except, time.as_mut().map_or(std::ptr::null_mut(), |time| time))
        })?;
        let ready = |list: &[i32], set: &libc::fd_set| {
            // SAFETY: `fd_set` has seen that the numbers fit.
            list.iter().copied().filter(|&fd| unsafe { libc::FD_ISSET(fd, set) }).collect()
        };
        Ok([ready(lists[0], &sets[0]), ready(lists[1], &sets[1]), ready(lists[2], &sets[2])])
    }

    /// A new epoll descriptor, not inherited.
    pub fn epoll(&self) -> Result<i32> {
        // SAFETY: a number only.
        let fd = number(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        self.note_open(fd);
        Ok(fd)
    }

    /// Adds, changes or removes (`EPOLL_CTL_ADD`, ...) a descriptor.
    pub fn epoll_control(&self, epoll: i32, operation: i32, fd: i32, events: u32) -> Result<()> {
        let mut event = libc::epoll_event { events, u64: fd as u64 };
        let epoll = self.fd(epoll)?.as_raw_fd();
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: the event is valid for the call.
        number(unsafe { libc::epoll_ctl(epoll, operation, fd, &mut event) }).map(drop)
    }

    /// Waits for at most so many events; `None` waits for ever.
    pub fn epoll_wait(&self, epoll: i32, most: usize, timeout: Option<Duration>) -> Result<Vec<EpollEvent>> {
        let epoll = self.fd(epoll)?.as_raw_fd();
        let timeout = match timeout {
            None => -1,
            Some(timeout) => i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX),
        };
        let mut events = Vec::new();
        let most = most.clamp(1, i32::MAX as usize / size_of::<libc::epoll_event>());
        events.try_reserve_exact(most).map_err(|_| Error::os(libc::ENOMEM))?;
        events.resize(most, libc::epoll_event { events: 0, u64: 0 });
        // SAFETY: as many places are there as is said.
        let count = number(unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), most as i32, timeout) })?;
        Ok(events[..count as usize]
            .iter()
            .map(|event| EpollEvent { fd: event.u64 as i32, events: event.events })
            .collect())
    }
}
