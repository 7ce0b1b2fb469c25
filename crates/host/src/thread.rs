//! Threads of the system, by number.

/// The number by which `threading.get_ident` knows the running thread.
pub fn thread_ident() -> u64 {
    // SAFETY: the call takes nothing and always answers.
    unsafe { libc::pthread_self() as u64 }
}

/// The number by which the system knows the running thread.
pub fn native_thread_id() -> u64 {
    rustix::thread::gettid().as_raw_nonzero().get() as u64
}

/// Names the running thread for debuggers and `ps`; the system keeps 15 bytes.
pub fn set_thread_name(name: &[u8]) {
    let mut short: Vec<u8> = name.iter().copied().filter(|byte| *byte != 0).take(15).collect();
    short.push(0);
    // SAFETY: the name is a string that ends with 0 and is valid for the call.
    unsafe { libc::pthread_setname_np(libc::pthread_self(), short.as_ptr().cast()) };
}
