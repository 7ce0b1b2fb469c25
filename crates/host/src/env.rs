//! The environment of an interpreter.

use crate::error::{Error, Result};
use crate::grant::Host;
use std::os::unix::ffi::OsStringExt;

/// A copy of the environment of the process.
pub(crate) fn of_process() -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec()))
}

impl Host {
    /// All variables, by name.
    pub fn environ(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.environment().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// One variable.
    pub fn getenv(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.environment().get(name).cloned()
    }

    /// Sets a variable of this host; processes that it starts inherit it.
    pub fn putenv(&self, name: &[u8], value: &[u8]) -> Result<()> {
        check_name(name)?;
        if value.contains(&0) {
            return Err(Error::os(libc::EINVAL));
        }
        self.environment().insert(name.to_vec(), value.to_vec());
        Ok(())
    }

    /// Removes a variable of this host.
    pub fn unsetenv(&self, name: &[u8]) -> Result<()> {
        check_name(name)?;
        self.environment().remove(name);
        Ok(())
    }
}

fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name.iter().any(|byte| matches!(byte, 0 | b'=')) {
        return Err(Error::os(libc::EINVAL));
    }
    Ok(())
}
