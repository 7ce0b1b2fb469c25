//! Users, groups, priorities, processors of processes, waiting for children in detail, and terminals as programs see them.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use crate::process::WaitOutcome;
use std::ffi::{CStr, CString};
use std::os::fd::AsRawFd;

fn check(result: i32) -> Result<i32> {
    if result == -1 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

/// An entry of the table of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    pub comment: Vec<u8>,
    pub home: Vec<u8>,
    pub shell: Vec<u8>,
}

/// An entry of the table of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub name: Vec<u8>,
    pub password: Vec<u8>,
    pub gid: u32,
    pub members: Vec<Vec<u8>>,
}

/// What the system says a process has used.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    pub user_seconds: f64,
    pub system_seconds: f64,
    /// `ru_maxrss` to `ru_nivcsw`, in order.
    pub numbers: [i64; 14],
}

fn usage(u: &libc::rusage) -> Usage {
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Usage {
        user_seconds: seconds(u.ru_utime),
        system_seconds: seconds(u.ru_stime),
        numbers: [
            u.ru_maxrss,
            u.ru_ixrss,
            u.ru_idrss,
            u.ru_isrss,
            u.ru_minflt,
            u.ru_majflt,
            u.ru_nswap,
            u.ru_inblock,
            u.ru_oublock,
            u.ru_msgsnd,
            u.ru_msgrcv,
            u.ru_nsignals,
            u.ru_nvcsw,
            u.ru_nivcsw,
        ],
    }
}

/// The bytes of a string of the C library; empty for a null pointer.
///
/// # Safety
/// The pointer is null or points to a string that ends with 0.
unsafe fn bytes(text: *const libc::c_char) -> Vec<u8> {
    // SAFETY: by the contract.
    if text.is_null() { Vec::new() } else { unsafe { CStr::from_ptr(text) }.to_bytes().to_vec() }
}

/// # Safety
/// The entry was filled by the C library and its strings live.
unsafe fn user(entry: &libc::passwd) -> User {
    // SAFETY: by the contract.
    unsafe {
        User {
            name: bytes(entry.pw_name),
            password: bytes(entry.pw_passwd),
            uid: entry.pw_uid,
            gid: entry.pw_gid,
            comment: bytes(entry.pw_gecos),
            home: bytes(entry.pw_dir),
            shell: bytes(entry.pw_shell),
        }
    }
}

/// # Safety
/// The entry was filled by the C library and its strings live.
unsafe fn group(entry: &libc::group) -> Group {
    let mut members = Vec::new();
    // SAFETY: by the contract; the list ends with a null pointer.
    unsafe {
        let mut at = entry.gr_mem;
        while !at.is_null() && !(*at).is_null() {
            members.push(bytes(*at));
            at = at.add(1);
        }
        Group { name: bytes(entry.gr_name), password: bytes(entry.gr_passwd), gid: entry.gr_gid, members }
    }
}

/// How a table is searched.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    Id(u32),
    Name(&'a [u8]),
}

/// Rooms for the strings of an entry, ever larger.
const ROOMS: [usize; 3] = [1 << 12, 1 << 16, 1 << 20];

impl Host {
    /// A user; `None` when there is none.
    pub fn user(&self, key: Key) -> Result<Option<User>> {
        self.need(Capability::System)?;
        let name = if let Key::Name(name) = key { CString::new(name).ok() } else { None };
        for size in ROOMS {
            let mut room = vec![0; size];
            // SAFETY: all places are valid for the call; the entry's strings stand in `room`.
            unsafe {
                let mut entry: libc::passwd = std::mem::zeroed();
                let mut found = std::ptr::null_mut();
                let data = room.as_mut_ptr();
                let errno = match (key, &name) {
                    (Key::Id(id), _) => libc::getpwuid_r(id, &mut entry, data, size, &mut found),
                    (_, Some(name)) => libc::getpwnam_r(name.as_ptr(), &mut entry, data, size, &mut found),
                    _ => return Ok(None),
                };
                match errno {
                    libc::ERANGE => continue,
                    0 if !found.is_null() => return Ok(Some(user(&entry))),
                    0 | libc::ENOENT | libc::ESRCH => return Ok(None),
                    errno => return Err(Error::os(errno)),
                }
            }
        }
        Err(Error::os(libc::ERANGE))
    }

    /// A group; `None` when there is none.
    pub fn group(&self, key: Key) -> Result<Option<Group>> {
        self.need(Capability::System)?;
        let name = if let Key::Name(name) = key { CString::new(name).ok() } else { None };
        for size in ROOMS {
            let mut room = vec![0; size];
            // SAFETY: as in `user`.
            unsafe {
                let mut entry: libc::group = std::mem::zeroed();
                let mut found = std::ptr::null_mut();
                let data = room.as_mut_ptr();
                let errno = match (key, &name) {
                    (Key::Id(id), _) => libc::getgrgid_r(id, &mut entry, data, size, &mut found),
                    (_, Some(name)) => libc::getgrnam_r(name.as_ptr(), &mut entry, data, size, &mut found),
                    _ => return Ok(None),
                };
                match errno {
                    libc::ERANGE => continue,
                    0 if !found.is_null() => return Ok(Some(group(&entry))),
                    0 | libc::ENOENT | libc::ESRCH => return Ok(None),
                    errno => return Err(Error::os(errno)),
                }
            }
        }
        Err(Error::os(libc::ERANGE))
    }

    /// All users.
    pub fn users(&self) -> Result<Vec<User>> {
        self.need(Capability::System)?;
        let _one_at_a_time = self.tables();
        let mut list = Vec::new();
        // SAFETY: the C library keeps one position for the process, which the lock guards; each entry is copied at once.
        unsafe {
            libc::setpwent();
            loop {
                let entry = libc::getpwent();
                if entry.is_null() {
                    break;
                }
                list.push(user(&*entry));
            }
            libc::endpwent();
        }
        Ok(list)
    }

    /// All groups.
    pub fn all_groups(&self) -> Result<Vec<Group>> {
        self.need(Capability::System)?;
        let _one_at_a_time = self.tables();
        let mut list = Vec::new();
        // SAFETY: as in `users`.
        unsafe {
            libc::setgrent();
            loop {
                let entry = libc::getgrent();
                if entry.is_null() {
                    break;
                }
                list.push(group(&*entry));
            }
            libc::endgrent();
        }
        Ok(list)
    }

    /// The groups of a user by name, with this one among them.
    pub fn groups_of(&self, user: &[u8], group: u32) -> Result<Vec<u32>> {
        self.need(Capability::System)?;
        let name = CString::new(user).map_err(|_| Error::os(libc::EINVAL))?;
        let mut count = 64;
        loop {
            let mut list = vec![0; count as usize];
            let room = count;
            // SAFETY: the list has room for `count` numbers.
            let result = unsafe { libc::getgrouplist(name.as_ptr(), group, list.as_mut_ptr(), &mut count) };
            if result != -1 {
                list.truncate(count as usize);
                return Ok(list);
            }
            if count <= room {
                count = room * 2;
            }
        }
    }

    /// Sets the groups of this process to those of a user.
    pub fn init_groups(&self, user: &[u8], group: u32) -> Result<()> {
        self.need(Capability::Processes)?;
        let name = CString::new(user).map_err(|_| Error::os(libc::EINVAL))?;
        // SAFETY: the name is valid for the call.
        check(unsafe { libc::initgroups(name.as_ptr(), group) }).map(drop)
    }

    /// Sets the groups of this process.
    pub fn set_groups(&self, groups: &[u32]) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: the list is valid for the call.
        check(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) }).map(drop)
    }

    /// Sets user ids of this process: real, effective, saved; all ones keeps.
    pub fn set_users(&self, real: u32, effective: u32, saved: Option<u32>) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe {
            match saved {
                Some(saved) => libc::setresuid(real, effective, saved),
                None => libc::setreuid(real, effective),
            }
        })
        .map(drop)
    }

    /// Sets group ids of this process, as [`Host::set_users`].
    pub fn set_group_ids(&self, real: u32, effective: u32, saved: Option<u32>) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe {
            match saved {
                Some(saved) => libc::setresgid(real, effective, saved),
                None => libc::setregid(real, effective),
            }
        })
        .map(drop)
    }

    /// `setuid`, `seteuid`, `setgid`, `setegid`.
    pub fn set_id(&self, which: IdCall, id: u32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe {
            match which {
                IdCall::User => libc::setuid(id),
                IdCall::EffectiveUser => libc::seteuid(id),
                IdCall::Group => libc::setgid(id),
                IdCall::EffectiveGroup => libc::setegid(id),
            }
        })
        .map(drop)
    }

    /// Real, effective and saved user ids.
    pub fn user_ids(&self) -> Result<[u32; 3]> {
        self.need(Capability::System)?;
        let mut ids = [0; 3];
        let [a, b, c] = &mut ids;
        // SAFETY: the three places are valid for the call.
        check(unsafe { libc::getresuid(a, b, c) })?;
        Ok(ids)
    }

    /// Real, effective and saved group ids.
    pub fn group_ids(&self) -> Result<[u32; 3]> {
        self.need(Capability::System)?;
        let mut ids = [0; 3];
        let [a, b, c] = &mut ids;
        // SAFETY: the three places are valid for the call.
        check(unsafe { libc::getresgid(a, b, c) })?;
        Ok(ids)
    }

    /// The name of the user who has logged in at the terminal.
    pub fn login_name(&self) -> Result<Vec<u8>> {
        self.need(Capability::System)?;
        let _one_at_a_time = self.tables();
        // SAFETY: the text belongs to the C library, is guarded by the lock and copied at once.
        unsafe {
            let name = libc::getlogin();
            if name.is_null() { Err(std::io::Error::last_os_error().into()) } else { Ok(bytes(name)) }
        }
    }

    /// The priority of processes.
    pub fn priority(&self, which: u32, who: u32) -> Result<i32> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only; -1 is a priority too, so errno tells.
        let (value, errno) = unsafe {
            *libc::__errno_location() = 0;
            (libc::getpriority(which as _, who), *libc::__errno_location())
        };
        if value == -1 && errno != 0 { Err(Error::os(errno)) } else { Ok(value) }
    }

    /// Sets the priority of processes.
    pub fn set_priority(&self, which: u32, who: u32, priority: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe { libc::setpriority(which as _, who, priority) }).map(drop)
    }

    /// The processors that a process may use.
    pub fn affinity(&self, pid: i32) -> Result<Vec<usize>> {
        self.need(Capability::System)?;
        // SAFETY: the set is valid for the calls.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            check(libc::sched_getaffinity(pid, size_of::<libc::cpu_set_t>(), &mut set))?;
            Ok((0..libc::CPU_SETSIZE as usize).filter(|&cpu| libc::CPU_ISSET(cpu, &set)).collect())
        }
    }

    /// Sets the processors that a process may use.
    pub fn set_affinity(&self, pid: i32, processors: &[usize]) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: the set is valid for the calls, and numbers are below its size.
        unsafe {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            for &cpu in processors.iter().filter(|&&cpu| cpu < libc::CPU_SETSIZE as usize) {
                libc::CPU_SET(cpu, &mut set);
            }
            check(libc::sched_setaffinity(pid, size_of::<libc::cpu_set_t>(), &set)).map(drop)
        }
    }

    /// Lets other processes run.
    pub fn sched_yield(&self) -> Result<()> {
        // SAFETY: no arguments.
        check(unsafe { libc::sched_yield() }).map(drop)
    }

    /// The range of priorities of a scheduling policy: least or greatest.
    pub fn sched_priority_limit(&self, policy: i32, greatest: bool) -> Result<i32> {
        // SAFETY: numbers only.
        check(unsafe {
            if greatest { libc::sched_get_priority_max(policy) } else { libc::sched_get_priority_min(policy) }
        })
    }

    /// The scheduling policy of a process.
    pub fn scheduler(&self, pid: i32) -> Result<i32> {
        self.need(Capability::System)?;
        // SAFETY: numbers only.
        check(unsafe { libc::sched_getscheduler(pid) })
    }

    /// The priority of a process within its scheduling policy.
    pub fn scheduling_priority(&self, pid: i32) -> Result<i32> {
        self.need(Capability::System)?;
        // SAFETY: zeroes are a valid `sched_param`, which the call fills.
        unsafe {
            let mut param: libc::sched_param = std::mem::zeroed();
            check(libc::sched_getparam(pid, &mut param))?;
            Ok(param.sched_priority)
        }
    }

    /// Sets priority and, if given, policy of a process.
    pub fn set_scheduling(&self, pid: i32, policy: Option<i32>, priority: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: zeroes are a valid `sched_param`.
        unsafe {
            let mut param: libc::sched_param = std::mem::zeroed();
            param.sched_priority = priority;
            check(match policy {
                Some(policy) => libc::sched_setscheduler(pid, policy, &param),
                None => libc::sched_setparam(pid, &param),
            })
            .map(drop)
        }
    }

    /// How long a process runs before another of its priority gets its turn.
    pub fn round_robin_interval(&self, pid: i32) -> Result<std::time::Duration> {
        self.need(Capability::System)?;
        // SAFETY: zeroes are a valid `timespec`, which the call fills.
        unsafe {
            let mut time: libc::timespec = std::mem::zeroed();
            check(libc::sched_rr_get_interval(pid, &mut time))?;
            let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
            Ok(std::time::Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0)))
        }
    }

    /// What a process has used: `RUSAGE_SELF` and the like.
    pub fn usage(&self, who: i32) -> Result<Usage> {
        self.need(Capability::System)?;
        // SAFETY: the place is valid for the call.
        unsafe {
            let mut used: libc::rusage = std::mem::zeroed();
            check(libc::getrusage(who as _, &mut used))?;
            Ok(usage(&used))
        }
    }

    /// A limit of this process: soft and hard.
    pub fn limit(&self, resource: i32) -> Result<(u64, u64)> {
        self.limits_of(0, resource, None)
    }

    /// The limits of a process, replaced by others if given.
    pub fn limits_of(&self, pid: i32, resource: i32, new: Option<(u64, u64)>) -> Result<(u64, u64)> {
        self.need(if new.is_some() { Capability::Processes } else { Capability::System })?;
        let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        let new = new.map(|(soft, hard)| libc::rlimit { rlim_cur: soft, rlim_max: hard });
        let place = new.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: both places are valid for the call or null.
        check(unsafe { libc::prlimit(pid, resource as _, place, &mut old) })?;
        Ok((old.rlim_cur, old.rlim_max))
    }

    /// As `waitpid`, with what the child has used.
    pub fn wait4(&self, pid: i32, options: i32) -> Result<(WaitOutcome, Usage)> {
        self.need(Capability::Processes)?;
        let mut status = 0;
        // SAFETY: both places are valid for the call.
        unsafe {
            let mut used: libc::rusage = std::mem::zeroed();
            let pid = check(libc::wait4(pid, &mut status, options, &mut used))?;
            Ok((WaitOutcome { pid, status }, usage(&used)))
        }
    }

    /// `waitid`: pid, uid, signal, status and code of a child; `None` when none has changed.
    pub fn waitid(&self, kind: u32, id: u32, options: i32) -> Result<Option<[i64; 5]>> {
        self.need(Capability::Processes)?;
        // SAFETY: the place is valid for the call; the fields belong to SIGCHLD.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            check(libc::waitid(kind as _, id, &mut info, options))?;
            if info.si_pid() == 0 {
                return Ok(None);
            }
            Ok(Some([
                i64::from(info.si_pid()),
                i64::from(info.si_uid()),
                i64::from(info.si_signo),
                i64::from(info.si_status()),
                i64::from(info.si_code),
            ]))
        }
    }

    /// A pair of descriptors: the controlling end and the end that programs see as a terminal.
    pub fn openpty(&self) -> Result<(i32, i32)> {
        self.need(Capability::Processes)?;
        let (mut control, mut terminal) = (-1, -1);
        // SAFETY: the two places are valid for the call, the others may be null.
        check(unsafe {
            libc::openpty(
                &mut control,
                &mut terminal,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        })?;
        self.note_open(control);
        self.note_open(terminal);
        self.set_inheritable(control, false)?;
        self.set_inheritable(terminal, false)?;
        Ok((control, terminal))
    }

    /// Makes a terminal the controlling one of this process, and its standard streams.
    pub fn login_tty(&self, fd: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: a number only.
        check(unsafe { libc::login_tty(self.fd(fd)?.as_raw_fd()) }).map(drop)
    }

    /// The process group in the foreground of a terminal.
    pub fn foreground(&self, fd: i32) -> Result<i32> {
        // SAFETY: a number only.
        check(unsafe { libc::tcgetpgrp(self.fd(fd)?.as_raw_fd()) })
    }

    /// Puts a process group in the foreground of a terminal.
    pub fn set_foreground(&self, fd: i32, group: i32) -> Result<()> {
        self.need(Capability::Processes)?;
        // SAFETY: numbers only.
        check(unsafe { libc::tcsetpgrp(self.fd(fd)?.as_raw_fd(), group) }).map(drop)
    }

    /// A string of the configuration; `None` when it has no value.
    pub fn confstr(&self, name: i32) -> Result<Option<Vec<u8>>> {
        self.need(Capability::System)?;
        let mut room: Vec<u8> = vec![0; 4096];
        // SAFETY: the room is valid for the call, errno is the thread's own.
        let (length, errno) = unsafe {
            *libc::__errno_location() = 0;
            (libc::confstr(name, room.as_mut_ptr().cast(), room.len()), *libc::__errno_location())
        };
        match length {
            0 if errno != 0 => Err(Error::os(errno)),
            0 => Ok(None),
            length => {
                room.truncate(length.min(room.len()).saturating_sub(1));
                Ok(Some(room))
            }
        }
    }

    /// Changes the root of the file system of this process.
    pub fn chroot(&self, path: &[u8]) -> Result<()> {
        self.need(Capability::Processes)?;
        self.need(Capability::WriteFiles)?;
        let path = crate::transfer::c_path(path)?;
        // SAFETY: the path is valid for the call.
        check(unsafe { libc::chroot(path.as_ptr()) }).map(drop)
    }

    /// Writes everything to the devices.
    pub fn sync(&self) -> Result<()> {
        self.need(Capability::WriteFiles)?;
        // SAFETY: no arguments.
        unsafe { libc::sync() };
        Ok(())
    }

    /// Terminal settings as numbers: input, output, control, local flags, the two speeds, then the control characters.
    pub fn terminal_settings(&self, fd: i32) -> Result<TerminalSettings> {
        // SAFETY: the place is valid for the calls.
        unsafe {
            let mut t: libc::termios = std::mem::zeroed();
            check(libc::tcgetattr(self.fd(fd)?.as_raw_fd(), &mut t))?;
            Ok(TerminalSettings {
                flags: [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag],
                input_speed: libc::cfgetispeed(&t),
                output_speed: libc::cfgetospeed(&t),
                characters: t.c_cc.to_vec(),
            })
        }
    }

    /// Sets terminal settings, at once, after output, or after output and without input (`TCSANOW`, ...).
    pub fn set_terminal_settings(&self, fd: i32, when: i32, settings: &TerminalSettings) -> Result<()> {
        // SAFETY: the place is valid for the calls.
        unsafe {
            let mut t: libc::termios = std::mem::zeroed();
            let fd = self.fd(fd)?.as_raw_fd();
            check(libc::tcgetattr(fd, &mut t))?;
            [t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag] = settings.flags;
            for (place, byte) in t.c_cc.iter_mut().zip(&settings.characters) {
                *place = *byte;
            }
            check(libc::cfsetispeed(&mut t, settings.input_speed))?;
            check(libc::cfsetospeed(&mut t, settings.output_speed))?;
            check(libc::tcsetattr(fd, when, &t)).map(drop)
        }
    }

    /// `tcsendbreak`, `tcdrain`, `tcflush` and `tcflow`.
    pub fn terminal_control(&self, fd: i32, what: TerminalControl) -> Result<()> {
        let fd = self.fd(fd)?.as_raw_fd();
        // SAFETY: numbers only.
        check(unsafe {
            match what {
                TerminalControl::Break(duration) => libc::tcsendbreak(fd, duration),
                TerminalControl::Drain => libc::tcdrain(fd),
                TerminalControl::Flush(queue) => libc::tcflush(fd, queue),
                TerminalControl::Flow(action) => libc::tcflow(fd, action),
            }
        })
        .map(drop)
    }

    /// Sets the size of a terminal in characters.
    pub fn set_terminal_size(&self, fd: i32, lines: u16, columns: u16) -> Result<()> {
        let size = libc::winsize { ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the place is valid for the call.
        check(unsafe { libc::ioctl(self.fd(fd)?.as_raw_fd(), libc::TIOCSWINSZ, &size) }).map(drop)
    }
}

/// Which id [`Host::set_id`] sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdCall {
    User,
    EffectiveUser,
    Group,
    EffectiveGroup,
}

/// The settings of a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalSettings {
    pub flags: [u32; 4],
    pub input_speed: u32,
    pub output_speed: u32,
    pub characters: Vec<u8>,
}

/// What [`Host::terminal_control`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalControl {
    Break(i32),
    Drain,
    Flush(i32),
    Flow(i32),
}
