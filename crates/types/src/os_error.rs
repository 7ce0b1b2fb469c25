//! `OSError`: construction by error number, fields, text.
//!
//! `errno`, `strerror`, `filename`, `filename2` and `characters_written` are the exception's fields 0 to 4.

use pellucid_object::{
    CallArgs, Exception, FunctionDef, GetSetDef, Interpreter, NativeFn, Ref, Res, Slot, Tuple, Type, TypeDef,
    TypeFlags, Value, payload,
};

const ERRNO: usize = 0;
const STRERROR: usize = 1;
const FILENAME: usize = 2;
const FILENAME2: usize = 3;
const WRITTEN: usize = 4;

fn exception<'a>(vm: &Interpreter, value: &'a Value) -> Res<&'a Exception> {
    value
        .downcast::<Exception>()
        .ok_or_else(|| vm.type_error("exceptions must derive from BaseException".to_string()))
}

/// A subclass that has an `__init__` of its own but no `__new__` gets its fields in `OSError.__init__`, so that it
/// can pass other arguments on.
fn fields_come_with_init(ty: &Type) -> bool {
    let own_init = ty.slots.init.get().is_some_and(|f| !std::ptr::fn_addr_eq(f, init as InitFn));
    let own_new = ty.slots.new.get().is_some_and(|f| !std::ptr::fn_addr_eq(f, new as NewFn));
    own_init && !own_new
}

type InitFn = fn(&Interpreter, &Value, &CallArgs) -> Res<()>;
type NewFn = fn(&Interpreter, &Value, &CallArgs) -> Res;

fn refuse_keywords(vm: &Interpreter, ty: &Type, args: &CallArgs) -> Res<()> {
    if args.names.is_empty() {
        return Ok(());
    }
    Err(vm.type_error(format!("{}() takes no keyword arguments", ty.name())))
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let Some(mut ty) = cls.downcast_ref::<Type>() else {
        return Err(vm.type_error("not a type".to_string()));
    };
    if fields_come_with_init(&ty) {
        let fresh = Exception::default();
        fresh.args.set(Some(vm.new_tuple(Vec::new())?));
        return vm.alloc_subclass(cls, fresh);
    }
    refuse_keywords(vm, &ty, call)?;
    let args = call.positional();
    if ty.value().is(vm.exceptions().os_error().value())
        && (2..=5).contains(&args.len())
        && let Some(errno) = vm.as_i64(&args[0])
    {
        ty = vm.os_error_type(errno);
    }
    let this = vm.alloc_subclass(ty.value(), Exception::default())?;
    fill(vm, &this, &ty, args)?;
    Ok(this)
}

fn init(vm: &Interpreter, this: &Value, call: &CallArgs) -> Res<()> {
    let ty = vm.type_of(this);
    if !fields_come_with_init(&ty) {
        return Ok(());
    }
    refuse_keywords(vm, &ty, call)?;
    fill(vm, this, &ty, call.positional())
}

fn fill(vm: &Interpreter, this: &Value, ty: &Ref<Type>, args: &[Value]) -> Res<()> {
    let e = exception(vm, this)?;
    let mut kept = args;
    if (2..=5).contains(&args.len()) {
        e.set_field(ERRNO, Some(args[0].clone()));
        e.set_field(STRERROR, Some(args[1].clone()));
        let given = |index: usize| args.get(index).filter(|v| !v.is_none());
        if let Some(filename) = given(2) {
            let number = filename.as_int().is_some() || has_index(vm, filename);
            if ty.value().is(vm.exceptions().blocking_io_error().value()) && number {
                let written = vm.expect_i64(filename)?;
                e.set_field(WRITTEN, Some(vm.new_int(written)?));
            } else {
                e.set_field(FILENAME, Some(filename.clone()));
                e.set_field(FILENAME2, given(4).cloned());
                kept = &args[..2];
            }
        }
    }
    e.args.set(Some(vm.new_tuple(kept.to_vec())?));
    Ok(())
}

fn has_index(vm: &Interpreter, value: &Value) -> bool {
    vm.type_of_ref(value).slots.unary[pellucid_object::UnOp::Index as usize].get().is_some()
}

fn str(vm: &Interpreter, this: &Value) -> Res {
    let e = exception(vm, this)?;
    let text = |index: usize| -> Res<String> {
        let value = vm.str(&e.field(index).unwrap_or(Value::NONE))?;
        Ok(vm.str_lossy(&value))
    };
    let head = |errno: String, strerror: String| format!("[Errno {errno}] {strerror}");
    if let Some(filename) = e.field(FILENAME) {
        let head = head(text(ERRNO)?, text(STRERROR)?);
        let mut writer = crate::seq::Writer::default();
        writer.push(&head);
        writer.push(": ");
        writer.push_repr(vm, &filename)?;
        if let Some(second) = e.field(FILENAME2) {
            writer.push(" -> ");
            writer.push_repr(vm, &second)?;
        }
        return writer.finish(vm);
    }
    if e.field(ERRNO).is_some() && e.field(STRERROR).is_some() {
        return vm.new_str(&head(text(ERRNO)?, text(STRERROR)?));
    }
    crate::exception::str(vm, this)
}

fn reduce(vm: &Interpreter, this: &Value) -> Res {
    let e = exception(vm, this)?;
    let mut args = e.args.get().and_then(|a| a.downcast::<Tuple>().map(Tuple::items)).unwrap_or_default();
    if args.len() == 2
        && let Some(filename) = e.field(FILENAME)
    {
        args.push(filename);
        if let Some(second) = e.field(FILENAME2) {
            args.extend([Value::NONE, second]);
        }
    }
    let mut parts = vec![vm.type_of(this).into_value(), vm.new_tuple(args)?];
    if let Some(dict) = vm.attrs_dict(this)?.filter(|dict| !dict.is_empty()) {
        parts.push(dict.into_value());
    }
    vm.new_tuple(parts)
}

fn get_field<const INDEX: usize>(vm: &Interpreter, this: &Value) -> Res {
    Ok(exception(vm, this)?.field(INDEX).unwrap_or(Value::NONE))
}

fn set_field<const INDEX: usize>(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    exception(vm, this)?.set_field(INDEX, value.cloned());
    Ok(())
}

fn get_written(vm: &Interpreter, this: &Value) -> Res {
    exception(vm, this)?
        .field(WRITTEN)
        .ok_or_else(|| vm.attribute_error_text("characters_written".to_string()))
}

fn set_written(vm: &Interpreter, this: &Value, value: Option<&Value>) -> Res<()> {
    let e = exception(vm, this)?;
    match value {
        Some(value) => {
            let number = vm.expect_i64(value)?;
            e.set_field(WRITTEN, Some(vm.new_int(number)?));
        }
        None if e.field(WRITTEN).is_none() => {
            return Err(vm.attribute_error_text("characters_written".to_string()));
        }
        None => e.set_field(WRITTEN, None),
    }
    Ok(())
}

macro_rules! field {
    ($name:literal, $doc:literal, $index:ident) => {
        GetSetDef { name: $name, doc: $doc, get: get_field::<{ $index }>, set: Some(set_field::<{ $index }>) }
    };
}

pub static OS_ERROR: TypeDef = TypeDef {
    name: "OSError",
    module: "builtins",
    base: None,
    payload: payload::<Exception>(),
    flags: TypeFlags::BASETYPE,
    doc: "Base class for I/O related errors.",
    slots: &[Slot::New(new), Slot::Init(init), Slot::Str(str)],
    methods: &[FunctionDef::new("__reduce__", "($self, /)", "", NativeFn::F1(reduce))],
    getset: &[
        field!("errno", "POSIX exception code", ERRNO),
        field!("strerror", "exception strerror", STRERROR),
        field!("filename", "exception filename", FILENAME),
        field!("filename2", "second exception filename", FILENAME2),
        GetSetDef { name: "characters_written", doc: "", get: get_written, set: Some(set_written) },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(vm: &Interpreter, args: &[Value]) -> (String, String) {
        let e = vm.call_values(vm.exceptions().os_error().value(), args).expect("made");
        (vm.repr_lossy(&e).expect("repr"), vm.str_lossy(&vm.str(&e).expect("str")))
    }

    #[test]
    fn the_number_says_which_type_is_made() {
        let vm = Interpreter::new().expect("memory");
        crate::install(&vm).expect("types");
        let text = |t: &str| vm.new_str(t).expect("str");
        let two = vm.new_int(2).expect("int");
        let show = |args: &[Value]| shown(&vm, args);
        let pair = |a: &str, b: &str| (a.to_string(), b.to_string());
        assert_eq!(
            show(&[two.clone(), text("gone"), text("a"), Value::NONE, text("b")]),
            pair("FileNotFoundError(2, 'gone')", "[Errno 2] gone: 'a' -> 'b'")
        );
        assert_eq!(show(&[two, text("gone")]), pair("FileNotFoundError(2, 'gone')", "[Errno 2] gone"));
        assert_eq!(show(&[text("x")]), pair("OSError('x')", "x"));
        let raised = vm.os_error(pellucid_object::host::Error::os(17));
        let e = vm.take_raised(raised);
        assert_eq!(&*vm.type_name(&e), "FileExistsError");
        assert_eq!(vm.get_attr_str(&e, "errno").expect("errno").as_small_int(), Some(17));
    }
}
