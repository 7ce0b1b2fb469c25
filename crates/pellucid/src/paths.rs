//! Where an interpreter is and where it looks: `sys.prefix`, `sys.path`, virtual environments, site folders.

use crate::config::Config;
use pellucid_host::{Host, Place};

/// The paths of an interpreter. Bytes, as the system has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// `sys.executable`; empty when nobody knows.
    pub executable: Vec<u8>,
    /// The executable that a virtual environment was made from.
    pub base_executable: Vec<u8>,
    pub prefix: Vec<u8>,
    pub base_prefix: Vec<u8>,
    /// The entry of `sys.path` that stands for the embedded library. Nothing can be there: it is below a file.
    pub library: Vec<u8>,
    /// Site folders that exist, the user's first.
    pub site: Vec<Vec<u8>>,
}

impl Paths {
    /// Finds them.
    pub fn find(config: &Config) -> Paths {
        let host = &*config.host;
        let executable = config.executable.clone().or_else(|| host.executable().ok()).unwrap_or_default();
        let real = resolve(host, &executable);
        let base_executable = if real.is_empty() { executable.clone() } else { real };
        let base_prefix = folder(folder(&base_executable)).to_vec();
        let environment = virtual_environment(host, &executable);
        let prefix = environment.clone().unwrap_or_else(|| base_prefix.clone());
        let library = if base_executable.is_empty() {
            b"/pellucid/lib".to_vec()
        } else {
            join(&base_executable, b"lib")
        };
        let mut paths = Paths { executable, base_executable, prefix, base_prefix, library, site: Vec::new() };
        if !config.flags.no_site {
            paths.site = site_folders(config, &paths.prefix, environment.is_some());
        }
        paths
    }
}

/// The folder of a path, without the last part.
pub fn folder(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&b| b == b'/') {
        Some(0) => b"/",
        Some(slash) => &path[..slash],
        None => b"",
    }
}

/// Two parts of a path.
pub fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = folder.to_vec();
    if !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// Follows symbolic links of the last part.
pub fn resolve(host: &Host, path: &[u8]) -> Vec<u8> {
    let mut path = path.to_vec();
    for _ in 0..40 {
        match host.readlink(Place::new(&path)) {
            Ok(target) if target.starts_with(b"/") => path = target,
            Ok(target) => path = join(folder(&path), &target),
            Err(_) => break,
        }
    }
    path
}

/// The path from the root, without `.` and `..`.
pub fn absolute(host: &Host, path: &[u8]) -> Vec<u8> {
    let whole =
        if path.starts_with(b"/") { path.to_vec() } else { join(&host.getcwd().unwrap_or_default(), path) };
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in whole.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.iter().fold(Vec::new(), |mut path, part| {
        path.push(b'/');
        path.extend_from_slice(part);
        path
    })
}

/// The whole file.
pub fn read(host: &Host, path: &[u8]) -> pellucid_host::Result<Vec<u8>> {
    let fd = host.open(Place::new(path), pellucid_host::libc::O_RDONLY, 0)?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let done = loop {
        match host.read(fd, &mut buffer) {
            Ok(0) => break Ok(()),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.is_interrupted() => {}
            Err(error) => break Err(error),
        }
    };
    let closed = host.close(fd);
    done.and(closed).map(|()| bytes)
}

pub fn is_dir(host: &Host, path: &[u8]) -> bool {
    host.stat(Place::new(path), true).is_ok_and(|stat| stat.is_dir())
}

pub fn is_file(host: &Host, path: &[u8]) -> bool {
    host.stat(Place::new(path), true).is_ok_and(|stat| stat.is_file())
}

/// The folder of `pyvenv.cfg`, next to the executable or one above.
fn virtual_environment(host: &Host, executable: &[u8]) -> Option<Vec<u8>> {
    if executable.is_empty() {
        return None;
    }
    let beside = folder(executable);
    [beside, folder(beside)]
        .into_iter()
        .find(|at| is_file(host, &join(at, b"pyvenv.cfg")))
        .map(<[u8]>::to_vec)
}

fn site_folders(config: &Config, prefix: &[u8], in_environment: bool) -> Vec<Vec<u8>> {
    let host = &*config.host;
    let mut found = Vec::new();
    if !config.flags.no_user_site && !in_environment {
        let base = host
            .getenv(b"PYTHONUSERBASE")
            .filter(|base| !base.is_empty() && !config.flags.ignore_environment)
            .or_else(|| host.getenv(b"HOME").map(|home| join(&home, b".local")));
        found.extend(base.map(|base| join(&base, b"lib/python3.14/site-packages")));
    }
    found.push(join(prefix, b"lib/python3.14/site-packages"));
    found.retain(|path| is_dir(host, path));
    found
}

/// Whether the library's `site` has something to do that is not done natively: `.pth` files, or modules that customize.
pub fn needs_site(host: &Host, paths: &Paths, search: &[Vec<u8>]) -> bool {
    let pth = |folder: &Vec<u8>| {
        host.listdir(folder).is_ok_and(|names| names.iter().any(|name| name.ends_with(b".pth")))
    };
    let customizes = |folder: &Vec<u8>| {
        [&b"sitecustomize"[..], b"usercustomize"].iter().any(|name| {
            let path = join(folder, name);
            is_dir(host, &path) || is_file(host, &[&path, &b".py"[..]].concat())
        })
    };
    paths.site.iter().any(pth) || search.iter().chain(&paths.site).any(customizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_of_parts() {
        assert_eq!(folder(b"/usr/bin/pellucid"), b"/usr/bin");
        assert_eq!(folder(b"/pellucid"), b"/");
        assert_eq!(folder(b"pellucid"), b"");
        assert_eq!(join(b"", b"x"), b"x");
        assert_eq!(join(b"/", b"x"), b"/x");
        assert_eq!(absolute(&Host::none(), b"/a/./b/../c"), b"/a/c");
    }
}
