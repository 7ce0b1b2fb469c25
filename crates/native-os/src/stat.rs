//! `_stat`: kinds and permissions in the mode of a file.

use crate::{libc_constants, set_ints};
use pellucid_host::libc;
use pellucid_object::{FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value};

/// A mode. Errors: `TypeError`, `OverflowError`.
fn mode(vm: &Interpreter, value: &Value) -> Res<u32> {
    if value.as_int().is_none() {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("expected int, got {got}")));
    }
    match vm.as_i64(value) {
        Some(number) if number < 0 => {
            Err(vm.overflow_error("can't convert negative value to unsigned int".to_string()))
        }
        Some(number) => u32::try_from(number).map_err(|_| vm.overflow_error("mode out of range".to_string())),
        None => Err(vm.overflow_error("Python int too large to convert to C unsigned long".to_string())),
    }
}

fn kind(mode: u32) -> u32 {
    mode & libc::S_IFMT
}

macro_rules! is_kind {
    ($name:literal, $kind:expr, $doc:literal) => {
        FunctionDef::new(
            $name,
            "(mode, /)",
            $doc,
            NativeFn::F1(|vm, value| Ok(Value::bool(kind(mode(vm, value)?) == $kind))),
        )
    };
}

macro_rules! never {
    ($name:literal, $doc:literal) => {
        FunctionDef::new(
            $name,
            "(mode, /)",
            $doc,
            NativeFn::F1(|vm, value| mode(vm, value).map(|_| Value::FALSE)),
        )
    };
}

/// The letters of `ls -l`.
fn letters(mode: u32) -> String {
    let first = match kind(mode) {
        libc::S_IFREG => '-',
        libc::S_IFDIR => 'd',
        libc::S_IFLNK => 'l',
        libc::S_IFBLK => 'b',
        libc::S_IFCHR => 'c',
        libc::S_IFIFO => 'p',
        libc::S_IFSOCK => 's',
        _ => '?',
    };
    let mut text = String::from(first);
    for (shift, special, letter) in
        [(6, libc::S_ISUID, 's'), (3, libc::S_ISGID, 's'), (0, libc::S_ISVTX, 't')]
    {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_stat",
    doc: "S_IFMT_: file type bits\nS_IFDIR: directory\nS_IFREG: regular file and the other kinds and permissions of files.",
    functions: &[
        is_kind!(
            "S_ISDIR",
            libc::S_IFDIR,
            "S_ISDIR(mode) -> bool\n\nReturn True if mode is from a directory."
        ),
        is_kind!(
            "S_ISCHR",
            libc::S_IFCHR,
            "S_ISCHR(mode) -> bool\n\nReturn True if mode is from a character special device file."
        ),
        is_kind!(
            "S_ISBLK",
            libc::S_IFBLK,
            "S_ISBLK(mode) -> bool\n\nReturn True if mode is from a block special device file."
        ),
        is_kind!(
            "S_ISREG",
            libc::S_IFREG,
            "S_ISREG(mode) -> bool\n\nReturn True if mode is from a regular file."
        ),
        is_kind!(
            "S_ISFIFO",
            libc::S_IFIFO,
            "S_ISFIFO(mode) -> bool\n\nReturn True if mode is from a FIFO (named pipe)."
        ),
        is_kind!(
            "S_ISLNK",
            libc::S_IFLNK,
            "S_ISLNK(mode) -> bool\n\nReturn True if mode is from a symbolic link."
        ),
        is_kind!(
            "S_ISSOCK",
            libc::S_IFSOCK,
            "S_ISSOCK(mode) -> bool\n\nReturn True if mode is from a socket."
        ),
        never!("S_ISDOOR", "S_ISDOOR(mode) -> bool\n\nReturn True if mode is from a door."),
        never!("S_ISPORT", "S_ISPORT(mode) -> bool\n\nReturn True if mode is from an event port."),
        never!("S_ISWHT", "S_ISWHT(mode) -> bool\n\nReturn True if mode is from a whiteout."),
        FunctionDef::new(
            "S_IMODE",
            "(mode, /)",
            "Return the portion of the file's mode that can be set by os.chmod().",
            NativeFn::F1(|vm, value| vm.new_int((mode(vm, value)? & 0o7777).into())),
        ),
        FunctionDef::new(
            "S_IFMT",
            "(mode, /)",
            "Return the portion of the file's mode that describes the file type.",
            NativeFn::F1(|vm, value| vm.new_int(kind(mode(vm, value)?).into())),
        ),
        FunctionDef::new(
            "filemode",
            "(mode, /)",
            "Convert a file's mode to a string of the form '-rwxrwxrwx'",
            NativeFn::F1(|vm, value| vm.new_str(&letters(mode(vm, value)?))),
        ),
    ],
    types: &[],
    constants: &[],
    init: Some(init),
};

fn init(vm: &Interpreter, module: &Value) -> Res<()> {
    set_ints(
        vm,
        module,
        libc_constants!(S_IFDIR S_IFCHR S_IFBLK S_IFREG S_IFIFO S_IFLNK S_IFSOCK S_ISUID S_ISGID S_ISVTX S_IRWXU S_IRUSR
            S_IWUSR S_IXUSR S_IRWXG S_IRGRP S_IWGRP S_IXGRP S_IRWXO S_IROTH S_IWOTH S_IXOTH),
    )?;
    set_ints(
        vm,
        module,
        &[
            ("S_IFDOOR", 0),
            ("S_IFPORT", 0),
            ("S_IFWHT", 0),
            ("S_ENFMT", 0o2000),
            ("S_IREAD", 0o400),
            ("S_IWRITE", 0o200),
            ("S_IEXEC", 0o100),
            ("UF_SETTABLE", 0xffff),
            ("UF_NODUMP", 1),
            ("UF_IMMUTABLE", 2),
            ("UF_APPEND", 4),
            ("UF_OPAQUE", 8),
            ("UF_NOUNLINK", 0x10),
            ("UF_COMPRESSED", 0x20),
            ("UF_TRACKED", 0x40),
            ("UF_DATAVAULT", 0x80),
            ("UF_HIDDEN", 0x8000),
            ("SF_SETTABLE", 0x3fff_0000),
            ("SF_SUPPORTED", 0x9f_0000),
            ("SF_SYNTHETIC", 0xc000_0000),
            ("SF_ARCHIVED", 0x1_0000),
            ("SF_IMMUTABLE", 0x2_0000),
            ("SF_APPEND", 0x4_0000),
            ("SF_RESTRICTED", 0x8_0000),
            ("SF_NOUNLINK", 0x10_0000),
            ("SF_SNAPSHOT", 0x20_0000),
            ("SF_FIRMLINK", 0x80_0000),
            ("SF_DATALESS", 0x4000_0000),
            ("ST_MODE", 0),
            ("ST_INO", 1),
            ("ST_DEV", 2),
            ("ST_NLINK", 3),
            ("ST_UID", 4),
            ("ST_GID", 5),
            ("ST_SIZE", 6),
            ("ST_ATIME", 7),
            ("ST_MTIME", 8),
            ("ST_CTIME", 9),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn modes_as_letters() {
        for (mode, text) in [
            (0o100644, "-rw-r--r--"),
            (0o104755, "-rwsr-xr-x"),
            (0o102644, "-rw-r-Sr--"),
            (0o041777, "drwxrwxrwt"),
            (0o120777, "lrwxrwxrwx"),
            (0, "?---------"),
        ] {
            assert_eq!(letters(mode), text);
        }
    }
}
