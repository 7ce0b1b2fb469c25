//! Calls that may wait.

use pellucid_host::{Clock, Error};
use pellucid_native_sys::time::{Round, nanoseconds, read};
use pellucid_object::{Interpreter, Res, Value};
use std::time::Duration;

/// When waiting ends.
#[derive(Clone, Copy)]
pub enum Until {
    Ever,
    /// What the monotonic clock shows then, in nanoseconds.
    Time(i128),
}

impl Until {
    /// After that long; `None`: never. Errors: `OSError` when there is no clock.
    pub fn after(vm: &Interpreter, timeout: Option<Duration>) -> Res<Until> {
        match timeout {
            None => Ok(Until::Ever),
            // Not waiting needs no clock.
            Some(Duration::ZERO) => Ok(Until::Time(i128::MIN)),
            Some(timeout) => Ok(Until::Time(read(vm, Clock::Monotonic)? + timeout.as_nanos() as i128)),
        }
    }

    /// How long that is from now on; `None`: for ever. Errors: `OSError` when there is no clock.
    pub fn left(self, vm: &Interpreter) -> Res<Option<Duration>> {
        match self {
            Until::Ever => Ok(None),
            Until::Time(i128::MIN) => Ok(Some(Duration::ZERO)),
            Until::Time(end) => {
                let left = end - read(vm, Clock::Monotonic)?;
                Ok(Some(u64::try_from(left).map_or(Duration::ZERO, Duration::from_nanos)))
            }
        }
    }
}

/// Calls the host while other threads run; when a signal interrupts it, handlers run and it is called again with what is left of the time.
/// Errors: what handlers raise.
pub fn waiting<T: Send>(
    vm: &Interpreter,
    until: Until,
    mut call: impl FnMut(Option<Duration>) -> Result<T, Error> + Send,
) -> Res<Result<T, Error>> {
    loop {
        let left = until.left(vm)?;
        match vm.allow_threads(|| call(left)) {
            Err(error) if error.is_interrupted() => vm.poll()?,
            done => return Ok(done),
        }
    }
}

/// Calls the host, which may wait as long as it likes, as [`waiting`] does. Errors: what handlers raise.
pub fn blocking<T: Send>(
    vm: &Interpreter,
    mut call: impl FnMut() -> Result<T, Error> + Send,
) -> Res<Result<T, Error>> {
    waiting(vm, Until::Ever, |_| call())
}

/// A timeout in seconds or in units of so many of them a second; `None` for the Python `None`, negative ones are kept.
/// Errors: `TypeError` in the given words, `ValueError` for NaN, `OverflowError`.
pub fn timeout_nanoseconds(vm: &Interpreter, value: &Value, words: &str) -> Res<i64> {
    nanoseconds(vm, value, Round::Up).map_err(|raised| {
        if vm.raised_is(vm.exceptions().type_error()) {
            drop(vm.take_raised(raised));
            return vm.type_error(words.to_string());
        }
        raised
    })
}
