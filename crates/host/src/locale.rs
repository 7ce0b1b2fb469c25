//! Locales of the C library, as objects: nothing of the process changes with them.

use crate::error::{Error, Result};
use crate::grant::{Capability, Host};
use std::ffi::{CStr, CString, c_char};

/// Number of categories, `LC_ALL` not counted.
pub const LOCALE_CATEGORIES: usize = 6;

unsafe extern "C" {
    fn strcoll_l(a: *const c_char, b: *const c_char, locale: libc::locale_t) -> libc::c_int;
    fn strxfrm_l(to: *mut c_char, from: *const c_char, room: usize, locale: libc::locale_t) -> usize;
}

/// A locale. Freed when dropped.
#[derive(Debug)]
pub struct Locale(libc::locale_t);

fn text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Error::os(libc::EINVAL))
}

impl Host {
    /// The locale with those names, one a category in the order of their numbers (`LC_CTYPE`, ...). Fails when there is no such.
    pub fn locale(&self, names: &[String; LOCALE_CATEGORIES]) -> Result<Locale> {
        self.need(Capability::System)?;
        // The bits stand in the order of the numbers.
        let mut locale = Locale(std::ptr::null_mut());
        for (category, name) in names.iter().enumerate() {
            let name = text(name.as_bytes())?;
            // SAFETY: the name is valid for the call; the base is ours or null, and is replaced by the result.
            let next = unsafe { libc::newlocale(1 << category, name.as_ptr(), locale.0) };
            if next.is_null() {
                return Err(std::io::Error::last_os_error().into());
            }
            locale.0 = next;
        }
        Ok(locale)
    }
}

impl Locale {
    /// A piece of the locale's data by its number (`CODESET`, ...).
    pub fn info(&self, item: i32) -> Vec<u8> {
        // SAFETY: the locale lives; the text is copied at once.
        unsafe {
            let text = libc::nl_langinfo_l(item, self.0);
            if text.is_null() { Vec::new() } else { CStr::from_ptr(text).to_bytes().to_vec() }
        }
    }

    /// The first byte of such a piece: some are numbers.
    pub fn number(&self, item: i32) -> u8 {
        // SAFETY: as in `info`; there is one byte at least.
        unsafe {
            let text = libc::nl_langinfo_l(item, self.0);
            if text.is_null() { u8::MAX } else { *text.cast::<u8>() }
        }
    }

    /// Compares as the locale orders texts.
    pub fn collate(&self, a: &[u8], b: &[u8]) -> Result<i32> {
        let (a, b) = (text(a)?, text(b)?);
        // SAFETY: both texts are valid and the locale lives.
        Ok(unsafe { strcoll_l(a.as_ptr(), b.as_ptr(), self.0) })
    }

    /// Bytes that compare as the locale orders texts.
    pub fn collation_key(&self, a: &[u8]) -> Result<Vec<u8>> {
        let a = text(a)?;
        // SAFETY: the text is valid, the room as long as is said, and the locale lives.
        unsafe {
            let length = strxfrm_l(std::ptr::null_mut(), a.as_ptr(), 0, self.0);
            let mut key = Vec::new();
            key.try_reserve_exact(length + 1).map_err(|_| Error::os(libc::ENOMEM))?;
            key.resize(length + 1, 0);
            strxfrm_l(key.as_mut_ptr().cast(), a.as_ptr(), length + 1, self.0);
            key.truncate(length);
            Ok(key)
        }
    }
}

impl Drop for Locale {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the locale is ours.
            unsafe { libc::freelocale(self.0) };
        }
    }
}
