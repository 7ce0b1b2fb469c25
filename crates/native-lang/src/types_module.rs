//! `_types`: names for builtin types that are no builtins, which `types` shows.

use pellucid_interp as interp;
use pellucid_object::native::Constant;
use pellucid_object::{Interpreter, ModuleDef, Res, TypeDef, constant};
use pellucid_types::{generic_alias, mapping_proxy, namespace, union};

fn made(vm: &Interpreter, def: &'static TypeDef) -> Res {
    Ok(vm.type_for(def)?.into_value())
}

macro_rules! core {
    ($name:literal, $field:ident) => {
        constant($name, |vm| Ok(vm.types().$field.value().clone()))
    };
}
macro_rules! other {
    ($name:literal, $def:expr) => {
        constant($name, |vm| made(vm, &$def))
    };
}

static TYPES: &[Constant] = &[
    other!("AsyncGeneratorType", interp::generator_types::ASYNC_GENERATOR),
    core!("BuiltinFunctionType", builtin_function),
    core!("BuiltinMethodType", builtin_function),
    other!("CellType", interp::cell::CELL),
    core!("ClassMethodDescriptorType", classmethod_descriptor),
    other!("CodeType", interp::code_type::CODE),
    other!("CoroutineType", interp::generator_types::COROUTINE),
    core!("EllipsisType", ellipsis_type),
    other!("FrameType", interp::frame_object::FRAME),
    other!("FunctionType", interp::function::FUNCTION),
    other!("GeneratorType", interp::generator_types::GENERATOR),
    other!("GenericAlias", generic_alias::GENERIC_ALIAS),
    core!("GetSetDescriptorType", getset_descriptor),
    other!("LambdaType", interp::function::FUNCTION),
    other!("MappingProxyType", mapping_proxy::MAPPING_PROXY),
    core!("MemberDescriptorType", member_descriptor),
    core!("MethodDescriptorType", method_descriptor),
    core!("MethodType", method),
    core!("MethodWrapperType", method_wrapper),
    core!("ModuleType", module),
    core!("NoneType", none_type),
    core!("NotImplementedType", not_implemented_type),
    other!("SimpleNamespace", namespace::SIMPLE_NAMESPACE),
    other!("TracebackType", interp::traceback::TRACEBACK),
    other!("UnionType", union::UNION),
    core!("WrapperDescriptorType", wrapper_descriptor),
];

pub static MODULE: ModuleDef = ModuleDef {
    name: "_types",
    doc: "Define names for built-in types.",
    functions: &[],
    types: &[],
    constants: TYPES,
    init: None,
};
