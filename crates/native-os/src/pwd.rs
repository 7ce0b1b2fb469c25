//! `pwd`: the table of users.

use pellucid_host::{Key, User};
use pellucid_native_sys::posix::files::id_arg;
use pellucid_object::{FunctionDef, Interpreter, ModuleDef, NativeFn, Res, Value, constant};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};

static STRUCT_PASSWD: StructSeqDef = StructSeqDef {
    ty: constructible(
        "struct_passwd",
        "pwd",
        "pwd.struct_passwd: Results from getpw*() routines.\n\nThis object may be accessed either as a tuple of\n  (pw_name,pw_passwd,pw_uid,pw_gid,pw_gecos,pw_dir,pw_shell)\nor via the object attributes as named in the above tuple.",
    ),
    fields: &[
        ("pw_name", "user name"),
        ("pw_passwd", "password"),
        ("pw_uid", "user id"),
        ("pw_gid", "group id"),
        ("pw_gecos", "real name"),
        ("pw_dir", "home directory"),
        ("pw_shell", "shell program"),
    ],
    visible: 7,
};

fn new_user(vm: &Interpreter, user: &User) -> Res {
    let values = vec![
        vm.fs_decode(&user.name)?,
        vm.fs_decode(&user.password)?,
        vm.new_int(user.uid.into())?,
        vm.new_int(user.gid.into())?,
        vm.fs_decode(&user.comment)?,
        vm.fs_decode(&user.home)?,
        vm.fs_decode(&user.shell)?,
    ];
    new_structseq(vm, &STRUCT_PASSWD, values)
}

fn getpwuid(vm: &Interpreter, uid: &Value) -> Res {
    let missing = |vm: &Interpreter| -> Res {
        let shown = vm.str(uid)?;
        let text = format!("getpwuid(): uid not found: {}", vm.str_lossy(&shown));
        Err(vm.key_error(vm.new_str(&text)?))
    };
    let id = match id_arg(vm, uid, "uid") {
        Ok(id) => id.unwrap_or(u32::MAX),
        Err(raised) if vm.raised_is(vm.exceptions().overflow_error()) => {
            drop(vm.take_raised(raised));
            return missing(vm);
        }
        Err(raised) => return Err(raised),
    };
    let host = vm.host();
    match vm.allow_threads(|| host.user(Key::Id(id))) {
        Ok(Some(user)) => new_user(vm, &user),
        Ok(None) => missing(vm),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// A name as the tables have it. Errors: `TypeError`, `ValueError` for a null character.
pub(crate) fn table_name(vm: &Interpreter, value: &Value, function: &str) -> Res<Vec<u8>> {
    if value.downcast::<pellucid_object::Str>().is_none() {
        let got = vm.type_name(value);
        return Err(vm.type_error(format!("{function}() argument must be str, not {got}")));
    }
    let name = vm.fs_encode(value)?;
    if name.contains(&0) {
        return Err(vm.value_error("embedded null byte".to_string()));
    }
    Ok(name)
}

fn getpwnam(vm: &Interpreter, name: &Value) -> Res {
    let bytes = table_name(vm, name, "getpwnam")?;
    let host = vm.host();
    match vm.allow_threads(|| host.user(Key::Name(&bytes))) {
        Ok(Some(user)) => new_user(vm, &user),
        Ok(None) => {
            let text = format!("getpwnam(): name not found: {}", vm.repr_lossy(name)?);
            Err(vm.key_error(vm.new_str(&text)?))
        }
        Err(error) => Err(vm.os_error(error)),
    }
}

fn getpwall(vm: &Interpreter) -> Res {
    let users = vm.host().users().map_err(|error| vm.os_error(error))?;
    vm.new_list(users.iter().map(|user| new_user(vm, user)).collect::<Res<Vec<_>>>()?)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "pwd",
    doc: "This module provides access to the Unix password database.\nIt is available on all Unix versions.",
    functions: &[
        FunctionDef::new(
            "getpwuid",
            "(uidobj, /)",
            "Return the password database entry for the given numeric user ID.\n\nSee `help(pwd)` for more on password database entries.",
            NativeFn::F1(getpwuid),
        ),
        FunctionDef::new(
            "getpwnam",
            "(name, /)",
            "Return the password database entry for the given user name.\n\nSee `help(pwd)` for more on password database entries.",
            NativeFn::F1(getpwnam),
        ),
        FunctionDef::new(
            "getpwall",
            "()",
            "Return a list of all available password database entries, in arbitrary order.\n\nSee help(pwd) for more on password database entries.",
            NativeFn::F0(getpwall),
        ),
    ],
    types: &[],
    constants: &[constant("struct_passwd", |vm| Ok(structseq_type(vm, &STRUCT_PASSWD)?.into_value()))],
    init: None,
};
