//! What is granted works, what is not is refused, and hosts do not see each other.

use crate::*;
use std::time::Duration;

/// A fresh directory, removed at the end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("pellucid-host-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }

    fn join(&self, name: &str) -> Vec<u8> {
        self.0.join(name).into_os_string().into_encoded_bytes()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

#[test]
fn nothing_granted_means_nothing() {
    let host = Host::none();
    let denied = |capability| Error { errno: libc::EACCES, denied: Some(capability) };
    let place = Place::new(b"/etc/hosts");
    assert_eq!(host.open(place, libc::O_RDONLY, 0), Err(denied(Capability::ReadFiles)));
    assert_eq!(host.open(place, libc::O_WRONLY, 0), Err(denied(Capability::WriteFiles)));
    assert_eq!(host.stat(place, true), Err(denied(Capability::ReadFiles)));
    assert_eq!(host.unlink(Place::new(b"/no/such")), Err(denied(Capability::WriteFiles)));
    assert_eq!(host.clock(Clock::Realtime), Err(denied(Capability::Clock)));
    assert_eq!(host.sleep(Duration::ZERO), Err(denied(Capability::Clock)));
    assert_eq!(host.random(&mut [0; 8]), Err(denied(Capability::Random)));
    assert_eq!(host.write(1, b""), Err(denied(Capability::Stdio)));
    assert_eq!(host.kill(0, 0), Err(denied(Capability::Processes)));
    assert_eq!(host.spawn(&Spawn::default()), Err(denied(Capability::Processes)));
    assert_eq!(host.environ(), []);
    assert_eq!(host.close(500), Err(Error::os(libc::EBADF)));
    assert_eq!(host.read(-1, &mut [0; 8]), Err(Error::os(libc::EBADF)));
    assert!(host.getpid() > 0);
    assert_eq!(Error::os(libc::ENOENT).to_string(), "No such file or directory");
}

#[test]
fn files_make_a_round() {
    let (host, scratch) = (Host::all(), Scratch::new("files"));
    let path = scratch.join("file");
    let fd = host.open(Place::new(&path), libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, 0o600).unwrap();
    assert!(!host.inheritable(fd).unwrap());
    assert_eq!(host.write(fd, b"hello world"), Ok(11));
    assert_eq!(host.lseek(fd, -5, Seek::End), Ok(6));
    let mut buffer = [0; 16];
    assert_eq!(host.read(fd, &mut buffer), Ok(5));
    assert_eq!(&buffer[..5], b"world");
    host.ftruncate(fd, 4).unwrap();
    assert_eq!(host.pread(fd, &mut buffer, 1), Ok(3));
    let copy = host.dup(fd).unwrap();
    host.close(fd).unwrap();
    assert_eq!(host.fstat(copy).unwrap().size, 4);
    assert!(!host.isatty(copy));
    host.close(copy).unwrap();
    let stamp = Timestamp::At(1_000_000_000, 7);
    host.utime(Place::new(&path), Timestamp::Keep, stamp, true).unwrap();
    host.chmod(Place::new(&path), 0o640, true).unwrap();
    let stat = host.stat(Place::new(&path), true).unwrap();
    assert_eq!((stat.mtime_ns, stat.mode), (1_000_000_000_000_000_007, 0o100_640));
    assert_eq!(host.access(Place::new(&path), 4, false, true), Ok(true));
    let link = scratch.join("link");
    host.symlink(b"file", Place::new(&link)).unwrap();
    assert_eq!(host.readlink(Place::new(&link)).unwrap(), b"file");
    assert!(host.lstat(Place::new(&link)).unwrap().is_symlink());
    host.mkdir(Place::new(&scratch.join("dir")), 0o700).unwrap();
    host.rename(Place::new(&path), Place::new(&scratch.join("dir/moved"))).unwrap();
    let mut entries = host.scandir(&scratch.join("")).unwrap();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let kinds: Vec<_> = entries.iter().map(|entry| (entry.name.as_slice(), entry.kind)).collect();
    assert_eq!(kinds, [(&b"dir"[..], EntryKind::Directory), (&b"link"[..], EntryKind::Symlink)]);
    let missing = host.open(Place::new(&scratch.join("none")), libc::O_RDONLY, 0);
    assert_eq!(missing, Err(Error::os(libc::ENOENT)));
    assert_eq!(host.stat(Place::new(b"nul\0inside"), true), Err(Error::os(libc::EINVAL)));
}

#[test]
fn hosts_have_their_own_directory_and_environment() {
    let (one, other, scratch) = (Host::all(), Host::all(), Scratch::new("own"));
    let before = other.getcwd().unwrap();
    let inside = scratch.join("inside");
    one.mkdir(Place::new(&inside), 0o700).unwrap();
    one.chdir(&inside).unwrap();
    assert_eq!(
        one.getcwd().unwrap(),
        std::fs::canonicalize(scratch.0.join("inside")).unwrap().into_os_string().into_encoded_bytes()
    );
    assert_eq!(other.getcwd().unwrap(), before);
    one.mkdir(Place::new(b"relative"), 0o700).unwrap();
    assert!(other.stat(Place::new(&scratch.join("inside/relative")), true).unwrap().is_dir());
    one.chdir(b"..").unwrap();
    assert_eq!(one.listdir(b".").unwrap(), [b"inside"]);
    one.putenv(b"PELLUCID_TEST", b"1").unwrap();
    assert_eq!((one.getenv(b"PELLUCID_TEST"), other.getenv(b"PELLUCID_TEST")), (Some(b"1".to_vec()), None));
    assert_eq!(one.putenv(b"a=b", b""), Err(Error::os(libc::EINVAL)));
}

#[test]
fn descriptors_of_others_are_out_of_reach() {
    let (other, host) = (Host::all(), Host::none());
    let (reader, writer) = other.pipe().unwrap();
    assert_eq!(host.write(writer, b"x"), Err(Error::os(libc::EBADF)));
    let (own_reader, own_writer) = host.pipe().unwrap();
    assert_eq!(host.write(own_writer, b"xy"), Ok(2));
    let mut entries = [PollEntry { fd: own_reader, events: 1, revents: 0 }];
    assert_eq!(host.poll(&mut entries, Some(Duration::ZERO)), Ok(1));
    assert_eq!(entries[0].revents, 1);
    let mut entries = [PollEntry { fd: reader, events: 1, revents: 0 }];
    assert_eq!(host.poll(&mut entries, None), Ok(1));
    assert_eq!(i32::from(entries[0].revents), i32::from(libc::POLLNVAL));
    other.close(reader).unwrap();
    other.close(writer).unwrap();
}

#[test]
fn processes_run_with_their_surroundings() {
    let (host, scratch) = (Host::all(), Scratch::new("spawn"));
    host.chdir(&scratch.join("")).unwrap();
    host.putenv(b"WORD", b"from host").unwrap();
    let (reader, writer) = host.pipe().unwrap();
    let spawn = Spawn {
        executables: vec![b"/no/such/sh".to_vec(), b"/bin/sh".to_vec()],
        arguments: ["sh", "-c", "echo $WORD; pwd -P; ls /proc/self/fd | wc -l; exit 3"]
            .map(|word| word.as_bytes().to_vec())
            .to_vec(),
        stdio: [None, Some(writer), None],
        close_fds: true,
        ..Spawn::default()
    };
    let pid = host.spawn(&spawn).unwrap();
    host.close(writer).unwrap();
    let mut output = Vec::new();
    let mut buffer = [0; 256];
    while let Ok(count @ 1..) = host.read(reader, &mut buffer) {
        output.extend_from_slice(&buffer[..count]);
    }
    host.close(reader).unwrap();
    assert_eq!(host.waitpid(pid, 0), Ok(WaitOutcome { pid, status: 3 << 8 }));
    let directory = std::fs::canonicalize(&scratch.0).unwrap();
    // `ls` has its three streams and the directory that it lists.
    let expected = format!("from host\n{}\n4\n", directory.display());
    assert_eq!(String::from_utf8(output).unwrap(), expected);
    let missing = Spawn { executables: vec![b"/no/such".to_vec()], ..Spawn::default() };
    assert_eq!(host.spawn(&missing), Err(Error::os(libc::ENOENT)));
}

#[test]
fn clocks_and_system_answer() {
    let host = Host::all();
    let before = host.clock(Clock::Monotonic).unwrap();
    host.sleep(Duration::from_millis(5)).unwrap();
    assert!(host.clock(Clock::Monotonic).unwrap() - before >= 5_000_000);
    assert!(host.clock_resolution(Clock::Monotonic).unwrap() > 0);
    let time = host.local_time(1_700_000_000 - host.local_time(1_700_000_000).unwrap().utc_offset).unwrap();
    assert_eq!((time.year, time.month, time.day, time.hour, time.weekday), (2023, 11, 14, 22, 1));
    assert_eq!(host.local_time(i64::MAX), Err(Error::os(libc::EOVERFLOW)));
    let (mut one, mut other) = ([0; 32], [0; 32]);
    host.random(&mut one).unwrap();
    host.random(&mut other).unwrap();
    assert_ne!(one, other);
    assert!(host.cpu_count().unwrap() > 0);
    assert!(!host.uname().unwrap().sysname.is_empty());
}
