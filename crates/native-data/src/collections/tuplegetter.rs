//! `_tuplegetter`: the descriptor behind the fields of named tuples.

use crate::support::{positional, this};
use pellucid_object::{
    FunctionDef, GetSetDef, Interpreter, NativeFn, Payload, Res, Slot, SlotWord, Tuple, TypeDef, TypeFlags,
    Value, Visitor, payload,
};

pub struct TupleGetter {
    index: i64,
    doc: SlotWord,
}

impl Payload for TupleGetter {
    fn trace(&self, visit: &mut Visitor) {
        self.doc.trace(visit);
    }
    fn clear(&self) {
        self.doc.set(None);
    }
}

fn get(vm: &Interpreter, descr: &Value, object: Option<&Value>, _: &Value) -> Res {
    let getter = this::<TupleGetter>(vm, descr)?;
    let Some(object) = object else { return Ok(descr.clone()) };
    let Some(tuple) = object.downcast::<Tuple>() else {
        let (index, got) = (getter.index, vm.type_name(object));
        return Err(vm.type_error(format!(
            "descriptor for index '{index}' for tuple subclasses doesn't apply to '{got}' object"
        )));
    };
    let index = usize::try_from(getter.index).unwrap_or(usize::MAX);
    tuple.get(index).ok_or_else(|| vm.index_error("tuple index out of range".to_string()))
}

fn doc(vm: &Interpreter, value: &Value) -> Res {
    Ok(this::<TupleGetter>(vm, value)?.doc.get().unwrap_or(Value::NONE))
}

pub static TUPLE_GETTER: TypeDef = TypeDef {
    name: "_tuplegetter",
    module: "_collections",
    base: None,
    payload: payload::<TupleGetter>(),
    flags: TypeFlags::NONE,
    doc: "",
    slots: &[
        Slot::New(|vm, cls, call| {
            let args = positional(vm, "_tuplegetter", call, 2, 2)?;
            let index = vm.expect_i64(&args[0])?;
            vm.alloc_subclass(cls, TupleGetter { index, doc: SlotWord::new(Some(args[1].clone())) })
        }),
        Slot::DescrGet(get),
        Slot::DescrSet(|vm, _, _, value| {
            let what = if value.is_some() { "can't set attribute" } else { "can't delete attribute" };
            Err(vm.attribute_error_text(what.to_string()))
        }),
        Slot::Repr(|vm, v| {
            let index = this::<TupleGetter>(vm, v)?.index;
            let name = vm.type_of(v).name();
            vm.new_str(&format!("{name}({index}, {})", vm.repr_lossy(&doc(vm, v)?)?))
        }),
    ],
    methods: &[FunctionDef::new(
        "__reduce__",
        "($self, /)",
        "",
        NativeFn::F1(|vm, v| {
            let index = vm.new_int(this::<TupleGetter>(vm, v)?.index)?;
            let args = vm.new_tuple(vec![index, doc(vm, v)?])?;
            vm.new_tuple(vec![vm.type_of(v).into_value(), args])
        }),
    )],
    getset: &[GetSetDef {
        name: "__doc__",
        doc: "",
        get: doc,
        set: Some(|vm, v, value| {
            this::<TupleGetter>(vm, v)?.doc.set(value.cloned());
            Ok(())
        }),
    }],
};
