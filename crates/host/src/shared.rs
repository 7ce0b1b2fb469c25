//! What processes share by name: memory, semaphores.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use std::ffi::CString;
use std::time::Duration;

/// A semaphore that other processes may have as well. Closed when dropped; its name lives on until it is removed.
#[derive(Debug)]
pub struct Semaphore(*mut libc::sem_t);

// SAFETY: the calls on semaphores are made for use from several threads.
unsafe impl Send for Semaphore {}
// SAFETY: as above.
unsafe impl Sync for Semaphore {}

fn check(result: i32) -> Result<i32> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

fn name(text: &[u8]) -> Result<CString> {
    CString::new(text).map_err(|_| Error::os(libc::EINVAL))
}

impl Host {
    /// Opens memory by name.
    pub fn open_shared_memory(&self, path: &[u8], flags: i32, mode: u32) -> Result<i32> {
        self.need(Capability::Processes)?;
        let path = name(path)?;
        // SAFETY: the name is valid for the call.
        let fd = check(unsafe { libc::shm_open(path.as_ptr(), flags, mode as libc::mode_t) })?;
        self.note_open(fd);
        Ok(fd)
    }

    /// Removes the name of memory.
    pub fn remove_shared_memory(&self, path: &[u8]) -> Result<()> {
        self.need(Capability::Processes)?;
        let path = name(path)?;
        // SAFETY: the name is valid for the call.
        check(unsafe { libc::shm_unlink(path.as_ptr()) }).map(drop)
    }

    /// Makes a semaphore with a new name, readable and writable for the user alone.
    pub fn make_semaphore(&self, path: &[u8], value: u32) -> Result<Semaphore> {
        self.need(Capability::Processes)?;
        let path = name(path)?;
        // SAFETY: the name is valid for the call.
        let semaphore = unsafe {
            libc::sem_open(path.as_ptr(), libc::O_CREAT | libc::O_EXCL, 0o600 as libc::c_uint, value)
        };
        if semaphore == libc::SEM_FAILED {
            Err(std::io::Error::last_os_error().into())
        } else {
            Ok(Semaphore(semaphore))
        }
    }

    /// Opens a semaphore that is there.
    pub fn open_semaphore(&self, path: &[u8]) -> Result<Semaphore> {
        self.need(Capability::Processes)?;
        let path = name(path)?;
        // SAFETY: the name is valid for the call.
        let semaphore = unsafe { libc::sem_open(path.as_ptr(), 0) };
        if semaphore == libc::SEM_FAILED {
            Err(std::io::Error::last_os_error().into())
        } else {
            Ok(Semaphore(semaphore))
        }
    }

    /// Removes the name of a semaphore.
    pub fn remove_semaphore(&self, path: &[u8]) -> Result<()> {
        self.need(Capability::Processes)?;
        let path = name(path)?;
        // SAFETY: the name is valid for the call.
        check(unsafe { libc::sem_unlink(path.as_ptr()) }).map(drop)
    }
}

impl Semaphore {
    /// Its address, by which it is known in this process.
    pub fn address(&self) -> usize {
        self.0 as usize
    }

    /// Counts down if that needs no waiting.
    pub fn try_wait(&self) -> Result<bool> {
        // SAFETY: the semaphore is open while `self` lives.
        match check(unsafe { libc::sem_trywait(self.0) }) {
            Ok(_) => Ok(true),
            Err(error) if error.errno == libc::EAGAIN => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Counts down, waiting for it if need be, at most so long; `None`: for ever. False when the time is over.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        let Some(timeout) = timeout else {
            // SAFETY: the semaphore is open while `self` lives.
            return check(unsafe { libc::sem_wait(self.0) }).map(|_| true);
        };
        // SAFETY: the places are valid for the calls.
        unsafe {
            let mut end: libc::timespec = std::mem::zeroed();
            check(libc::clock_gettime(libc::CLOCK_REALTIME, &mut end))?;
            let nanoseconds = end.tv_nsec + i64::from(timeout.subsec_nanos());
            let seconds = i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX);
            end.tv_sec = end.tv_sec.saturating_add(seconds).saturating_add(nanoseconds / 1_000_000_000);
            end.tv_nsec = nanoseconds % 1_000_000_000;
            match check(libc::sem_timedwait(self.0, &end)) {
                Ok(_) => Ok(true),
                Err(error) if error.errno == libc::ETIMEDOUT => Ok(false),
                Err(error) => Err(error),
            }
        }
    }

    /// Counts up.
    pub fn post(&self) -> Result<()> {
        // SAFETY: the semaphore is open while `self` lives.
        check(unsafe { libc::sem_post(self.0) }).map(drop)
    }

    pub fn value(&self) -> Result<i32> {
        let mut value = 0;
        // SAFETY: the place is valid for the call.
        check(unsafe { libc::sem_getvalue(self.0, &mut value) })?;
        Ok(value)
    }
}

impl Drop for Semaphore {
    fn drop(&mut self) {
        // SAFETY: nobody uses it through `self` any more.
        unsafe { libc::sem_close(self.0) };
    }
}
