//! Running programs with an end, and saying how their outputs differ.

use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a process left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// `None`: it took too long. -1: a signal ended it.
    pub status: Option<i32>,
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

/// Runs a command with some input, but not for longer than that.
pub fn run(command: &mut Command, input: &[u8], patience: Duration) -> io::Result<Run> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // The program may have ended without reading all of it.
        let _ = stdin.write_all(input);
    }
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let status = wait(&mut child, patience)?;
    let collect = |handle: thread::JoinHandle<Vec<u8>>| handle.join().unwrap_or_default();
    Ok(Run { status, out: collect(stdout), err: collect(stderr) })
}

fn wait(child: &mut Child, patience: Duration) -> io::Result<Option<i32>> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.code().unwrap_or(-1)));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn reader(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What could be read until an error is what counts.
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

/// The first lines that differ.
pub fn difference(expected: &[u8], got: &[u8]) -> String {
    let (expected, got) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(got));
    let (mut left, mut right) = (expected.lines(), got.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (left.next(), right.next()) {
            (None, None) => return "only line ends differ".to_string(),
            (a, b) if a == b => {}
            (a, b) => {
                let show =
                    |line: Option<&str>| line.map_or("(the end)".to_string(), |line| format!("{line:?}"));
                return format!("line {number}\n  expected: {}\n  got:      {}", show(a), show(b));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn differences_name_the_line() {
        assert_eq!(difference(b"a\nb\n", b"a\nc\n"), "line 2\n  expected: \"b\"\n  got:      \"c\"");
        assert_eq!(difference(b"a\n", b"a\nc"), "line 2\n  expected: (the end)\n  got:      \"c\"");
        assert_eq!(difference(b"a\n", b"a"), "only line ends differ");
    }
}
