//! Paths as arguments: `str`, `bytes`, objects with `__fspath__`, and descriptors where they are allowed.

use pellucid_object::{Bytes, Interpreter, Res, Str, Value};

/// `os.fspath(path)`. Errors: `TypeError`.
pub fn fspath(vm: &Interpreter, path: &Value) -> Res {
    if path.downcast::<Str>().is_some() || path.downcast::<Bytes>().is_some() {
        return Ok(path.clone());
    }
    let Some(method) = vm.lookup_special(path, "__fspath__")?.filter(|method| !method.is_none()) else {
        let name = vm.type_name(path);
        return Err(vm.type_error(format!("expected str, bytes or os.PathLike object, not {name}")));
    };
    let result = vm.call_descriptor(&method, path, &[])?;
    if result.downcast::<Str>().is_some() || result.downcast::<Bytes>().is_some() {
        return Ok(result);
    }
    let (name, got) = (vm.type_name(path), vm.type_name(&result));
    Err(vm.type_error(format!("expected {name}.__fspath__() to return str or bytes, not {got}")))
}

/// The bytes of a path. Errors: `TypeError`, `ValueError` for a null character, `UnicodeEncodeError`.
pub fn fs_path_bytes(vm: &Interpreter, path: &Value) -> Res<Vec<u8>> {
    let path = fspath(vm, path)?;
    path_bytes(vm, &path)
}

/// As [`fs_path_bytes`] for what is `str` or `bytes` already.
pub fn path_bytes(vm: &Interpreter, path: &Value) -> Res<Vec<u8>> {
    let bytes = match path.downcast::<Bytes>() {
        Some(bytes) => bytes.as_slice().to_vec(),
        None => vm.fs_encode(path)?,
    };
    if bytes.contains(&0) {
        return Err(vm.value_error("embedded null byte".to_string()));
    }
    Ok(bytes)
}
