//! Clocks, sleeping, and local time.

use crate::descriptors::timespec;
use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use rustix::time::ClockId;
use std::time::Duration;

/// A clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Time since 1970, which may be set.
    Realtime,
    /// Time since some moment, which never goes back.
    Monotonic,
    /// Processor time of the process.
    Process,
    /// Processor time of the thread.
    Thread,
    /// Time since the machine was started, sleep included.
    Boot,
    /// Like `Monotonic`, not adjusted.
    MonotonicRaw,
}

impl Clock {
    const fn id(self) -> ClockId {
        match self {
            Clock::Realtime => ClockId::Realtime,
            Clock::Monotonic => ClockId::Monotonic,
            Clock::Process => ClockId::ProcessCPUTime,
            Clock::Thread => ClockId::ThreadCPUTime,
            Clock::Boot => ClockId::Boottime,
            Clock::MonotonicRaw => ClockId::MonotonicRaw,
        }
    }

    /// The number of `time.CLOCK_*`.
    pub fn number(self) -> i32 {
        match self {
            Clock::Realtime => libc::CLOCK_REALTIME,
            Clock::Monotonic => libc::CLOCK_MONOTONIC,
            Clock::Process => libc::CLOCK_PROCESS_CPUTIME_ID,
            Clock::Thread => libc::CLOCK_THREAD_CPUTIME_ID,
            Clock::Boot => libc::CLOCK_BOOTTIME,
            Clock::MonotonicRaw => libc::CLOCK_MONOTONIC_RAW,
        }
    }

    /// The clock of a number of `time.CLOCK_*`.
    pub fn from_number(number: i32) -> Option<Clock> {
        Some(match number {
            libc::CLOCK_REALTIME => Clock::Realtime,
            libc::CLOCK_MONOTONIC => Clock::Monotonic,
            libc::CLOCK_PROCESS_CPUTIME_ID => Clock::Process,
            libc::CLOCK_THREAD_CPUTIME_ID => Clock::Thread,
            libc::CLOCK_BOOTTIME => Clock::Boot,
            libc::CLOCK_MONOTONIC_RAW => Clock::MonotonicRaw,
            _ => return None,
        })
    }
}

/// A moment as a calendar shows it where the machine is; the fields of C's `struct tm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    /// The year, in full.
    pub year: i64,
    /// 1 to 12.
    pub month: i32,
    /// 1 to 31.
    pub day: i32,
    /// 0 to 23.
    pub hour: i32,
    /// 0 to 59.
    pub minute: i32,
    /// 0 to 60.
    pub second: i32,
    /// Monday is 0.
    pub weekday: i32,
    /// 1 to 366.
    pub day_of_year: i32,
    /// 1: summer time, 0: not, -1: unknown.
    pub dst: i32,
    /// Seconds east of Greenwich.
    pub utc_offset: i64,
    /// The name of the zone.
    pub zone: Vec<u8>,
}

fn nanoseconds(time: rustix::time::Timespec) -> i128 {
    i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
}

impl Host {
    /// What a clock shows, in nanoseconds.
    pub fn clock(&self, clock: Clock) -> Result<i128> {
        self.need(Capability::Clock)?;
        Ok(nanoseconds(rustix::time::clock_gettime(clock.id())))
    }

    /// The step of a clock, in nanoseconds.
    pub fn clock_resolution(&self, clock: Clock) -> Result<i128> {
        self.need(Capability::Clock)?;
        Ok(nanoseconds(rustix::time::clock_getres(clock.id())))
    }

    /// Sleeps. `EINTR`: a signal came; ask the clock how long to go on.
    pub fn sleep(&self, duration: Duration) -> Result<()> {
        self.need(Capability::Clock)?;
        rustix::event::poll(&mut [], Some(&timespec(duration)))?;
        Ok(())
    }

    /// Local time of a moment in seconds since 1970, in the zone of the process. `EOVERFLOW` when the calendar does not reach that far.
    pub fn local_time(&self, seconds: i64) -> Result<LocalTime> {
        self.need(Capability::Clock)?;
        let seconds = libc::time_t::from(seconds);
        let mut tm = std::mem::MaybeUninit::<libc::tm>::zeroed();
        // SAFETY: both pointers are valid for the call.
        if unsafe { libc::localtime_r(&seconds, tm.as_mut_ptr()) }.is_null() {
            return Err(Error::os(libc::EOVERFLOW));
        }
        // SAFETY: zeroes are a valid `tm`, and the call has filled it.
        let tm = unsafe { tm.assume_init() };
        let zone = if tm.tm_zone.is_null() {
            Vec::new()
        } else {
            // SAFETY: the zone's name is a string of the C library that lives as long as the process.
            unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }.to_bytes().to_vec()
        };
        Ok(LocalTime {
            year: i64::from(tm.tm_year) + 1900,
            month: tm.tm_mon + 1,
            day: tm.tm_mday,
            hour: tm.tm_hour,
            minute: tm.tm_min,
            second: tm.tm_sec,
            weekday: (tm.tm_wday + 6) % 7,
            day_of_year: tm.tm_yday + 1,
            dst: tm.tm_isdst,
            utc_offset: tm.tm_gmtoff,
            zone,
        })
    }
}

impl LocalTime {
    /// As C has it. The name of the zone must outlive the result.
    fn to_tm(&self, zone: Option<&std::ffi::CStr>) -> Result<libc::tm> {
        // SAFETY: zeroes are a valid `tm`.
        let mut tm: libc::tm = unsafe { std::mem::zeroed() };
        let out_of_range = |_| Error::os(libc::EOVERFLOW);
        tm.tm_year = i32::try_from(self.year - 1900).map_err(out_of_range)?;
        tm.tm_mon = self.month - 1;
        tm.tm_mday = self.day;
        tm.tm_hour = self.hour;
        tm.tm_min = self.minute;
        tm.tm_sec = self.second;
        tm.tm_wday = (self.weekday + 1) % 7;
        tm.tm_yday = self.day_of_year - 1;
        tm.tm_isdst = self.dst;
        tm.tm_gmtoff = self.utc_offset;
        if let Some(zone) = zone {
            tm.tm_zone = zone.as_ptr();
        }
        Ok(tm)
    }
}

impl Host {
    /// The moment of a local time, in seconds since 1970; fields out of range carry over. `EOVERFLOW` when there is none.
    pub fn make_time(&self, time: &LocalTime) -> Result<i64> {
        self.need(Capability::Clock)?;
        let mut tm = time.to_tm(None)?;
        // The call says -1 for an error, which is a moment too; only success sets the day of the week.
        tm.tm_wday = -1;
        // SAFETY: `tm` is valid for the call.
        let seconds = unsafe { libc::mktime(&mut tm) };
        if seconds == -1 && tm.tm_wday == -1 { Err(Error::os(libc::EOVERFLOW)) } else { Ok(seconds) }
    }

    /// Writes a time as the C library does, in the locale of the process.
    pub fn format_time(&self, format: &[u8], time: &LocalTime) -> Result<Vec<u8>> {
        self.need(Capability::Clock)?;
        let bad = |_| Error::os(libc::EINVAL);
        // A character in front tells an empty result from one that did not fit.
        let mut marked = vec![b'.'];
        marked.extend_from_slice(format);
        let format = std::ffi::CString::new(marked).map_err(bad)?;
        let zone = std::ffi::CString::new(time.zone.clone()).map_err(bad)?;
        let tm = time.to_tm(Some(&zone).filter(|zone| !zone.is_empty()).map(|zone| zone.as_c_str()))?;
        let mut size = 256 + format.as_bytes().len() * 4;
        loop {
            let mut buffer = vec![0u8; size];
            // SAFETY: the buffer has `size` bytes; format and `tm` are valid for the call, and so is the zone's name.
            let count = unsafe { libc::strftime(buffer.as_mut_ptr().cast(), size, format.as_ptr(), &tm) };
            if count > 0 {
                buffer.truncate(count);
                buffer.remove(0);
                return Ok(buffer);
            }
            if size > 256 * (format.as_bytes().len() + 1024) {
                return Err(Error::os(libc::ERANGE));
            }
            size *= 4;
        }
    }

    /// Reads `TZ` again from the environment of this host, for the whole process.
    pub fn set_zone(&self) -> Result<()> {
        self.need(Capability::Clock)?;
        self.need(Capability::Environment)?;
        // SAFETY: the C library guards its time zone with a lock; nothing else in this program reads the process's
        // environment once it runs, because each host has its own copy of it.
        unsafe {
            match self.getenv(b"TZ").and_then(|value| std::ffi::CString::new(value).ok()) {
                Some(value) => libc::setenv(c"TZ".as_ptr(), value.as_ptr(), 1),
                None => libc::unsetenv(c"TZ".as_ptr()),
            };
            tzset();
        }
        Ok(())
    }

    /// Sets a clock, in nanoseconds.
    pub fn set_clock(&self, clock: Clock, nanoseconds: i128) -> Result<()> {
        self.need(Capability::Clock)?;
        let time = rustix::time::Timespec {
            tv_sec: i64::try_from(nanoseconds.div_euclid(1_000_000_000))
                .map_err(|_| Error::os(libc::EINVAL))?,
            tv_nsec: nanoseconds.rem_euclid(1_000_000_000) as i64,
        };
        let time = libc::timespec { tv_sec: time.tv_sec, tv_nsec: time.tv_nsec };
        // SAFETY: `time` is valid for the call.
        if unsafe { libc::clock_settime(clock.number(), &time) } == -1 {
            return Err(std::io::Error::last_os_error().into());
        }
        Ok(())
    }
}

unsafe extern "C" {
    /// Reads the time zone from the environment; the `libc` crate does not declare it for Linux.
    fn tzset();
}
