//! `grp`: the table of groups.

use crate::pwd::table_name;
use pellucid_host::{Group, Key};
use pellucid_native_sys::posix::files::id_arg;
use pellucid_object::{Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Res, constant};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};

static STRUCT_GROUP: StructSeqDef = StructSeqDef {
    ty: constructible(
        "struct_group",
        "grp",
        "grp.struct_group: Results from getgr*() routines.\n\nThis object may be accessed either as a tuple of\n  (gr_name,gr_passwd,gr_gid,gr_mem)\nor via the object attributes as named in the above tuple.",
    ),
    fields: &[
        ("gr_name", "group name"),
        ("gr_passwd", "password"),
        ("gr_gid", "group id"),
        ("gr_mem", "group members"),
    ],
    visible: 4,
};

fn new_group(vm: &Interpreter, group: &Group) -> Res {
    let members = group.members.iter().map(|name| vm.fs_decode(name)).collect::<Res<Vec<_>>>()?;
    let values = vec![
        vm.fs_decode(&group.name)?,
        vm.fs_decode(&group.password)?,
        vm.new_int(group.gid.into())?,
        vm.new_list(members)?,
    ];
    new_structseq(vm, &STRUCT_GROUP, values)
}

fn getgrgid(vm: &Interpreter, args: &Args) -> Res {
    let gid = args.req(0);
    let missing = |vm: &Interpreter| -> Res {
        let shown = vm.str(gid)?;
        let text = format!("getgrgid(): gid not found: {}", vm.str_lossy(&shown));
        Err(vm.key_error(vm.new_str(&text)?))
    };
    let id = match id_arg(vm, gid, "gid") {
        Ok(id) => id.unwrap_or(u32::MAX),
        Err(raised) if vm.raised_is(vm.exceptions().overflow_error()) => {
            drop(vm.take_raised(raised));
            return missing(vm);
        }
        Err(raised) => return Err(raised),
    };
    let host = vm.host();
    match vm.allow_threads(|| host.group(Key::Id(id))) {
        Ok(Some(group)) => new_group(vm, &group),
        Ok(None) => missing(vm),
        Err(error) => Err(vm.os_error(error)),
    }
}

fn getgrnam(vm: &Interpreter, args: &Args) -> Res {
    let name = args.req(0);
    let bytes = table_name(vm, name, "getgrnam")?;
    let host = vm.host();
    match vm.allow_threads(|| host.group(Key::Name(&bytes))) {
        Ok(Some(group)) => new_group(vm, &group),
        Ok(None) => {
            let text = format!("getgrnam(): name not found: {}", vm.repr_lossy(name)?);
            Err(vm.key_error(vm.new_str(&text)?))
        }
        Err(error) => Err(vm.os_error(error)),
    }
}

fn getgrall(vm: &Interpreter) -> Res {
    let groups = vm.host().all_groups().map_err(|error| vm.os_error(error))?;
    vm.new_list(groups.iter().map(|group| new_group(vm, group)).collect::<Res<Vec<_>>>()?)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "grp",
    doc: "Access to the Unix group database.",
    functions: &[
        FunctionDef::new(
            "getgrgid",
            "(id)",
            "Return the group database entry for the given numeric group ID.\n\nIf id is not valid, raise KeyError.",
            NativeFn::Args(getgrgid),
        ),
        FunctionDef::new(
            "getgrnam",
            "(name)",
            "Return the group database entry for the given group name.\n\nIf name is not valid, raise KeyError.",
            NativeFn::Args(getgrnam),
        ),
        FunctionDef::new(
            "getgrall",
            "()",
            "Return a list of all available group entries, in arbitrary order.\n\nAn entry whose name starts with '+' or '-' represents an instruction\nto use YP/NIS and may not be accessible via getgrnam or getgrgid.",
            NativeFn::F0(getgrall),
        ),
    ],
    types: &[],
    constants: &[constant("struct_group", |vm| Ok(structseq_type(vm, &STRUCT_GROUP)?.into_value()))],
    init: None,
};
