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
