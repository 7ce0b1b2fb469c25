//! What the virtual machine keeps for an interpreter: its types, and the stack of the running thread.

use crate::frame::Thread;
use pellucid_object::{BinOp, CmpOp, Interpreter, Ref, Type, Value};
use std::cell::Cell;
use std::ptr;

/// The machine's types and interned names.
pub struct State {
    pub code: Ref<Type>,
    pub function: Ref<Type>,
    pub cell: Ref<Type>,
    pub frame: Ref<Type>,
    pub traceback: Ref<Type>,
    pub generator: Ref<Type>,
    pub coroutine: Ref<Type>,
    pub coroutine_wrapper: Ref<Type>,
    pub async_generator: Ref<Type>,
    pub async_send: Ref<Type>,
    pub async_throw: Ref<Type>,
    pub async_wrapped: Ref<Type>,
    pub super_: Ref<Type>,
    pub locals_proxy: Ref<Type>,
    /// Iterators that `for` knows.
    pub range_iterator: Ref<Type>,
    pub list_iterator: Ref<Type>,
    pub tuple_iterator: Ref<Type>,
    pub names: Names,
    /// What was learnt of globals when the last function was made.
    pub globals_layout: Cell<crate::function::GlobalsLayout>,
    /// The stack of the thread that has the interpreter.
    pub thread: Cell<*mut Thread>,
    /// What tracing, profiling and monitoring want.
    pub monitors: crate::instrument::Monitors,
    /// When code is compiled to machine code.
    pub tier: crate::hot::Tier,
    /// How often native code ran Python code.
    pub runs: Cell<u64>,
}

macro_rules! names {
    ($($name:ident)*) => {
        /// Names that the machine looks up itself, interned.
        pub struct Names { $(pub $name: Value,)* }
        impl Names {
            pub fn new(vm: &Interpreter) -> pellucid_object::Res<Names> {
                Ok(Names { $($name: vm.intern(stringify!($name))?,)* })
            }
        }
    };
}
names!(__add__ __sub__ __mul__ __matmul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__ __lshift__ __rshift__ __and__ __or__
    __xor__ __lt__ __le__ __eq__ __ne__ __gt__ __ge__
    __name__ __builtins__ __build_class__ __import__ __enter__ __exit__ __aenter__ __aexit__ __class__ __annotations__ __spec__ __orig_bases__ metaclass send __init__ __iter__ __getitem__ __setitem__ __call__);

impl Names {
    /// The method of a binary operator.
    pub fn binary(&self, op: BinOp) -> &Value {
        match op {
            BinOp::Add => &self.__add__,
            BinOp::Sub => &self.__sub__,
            BinOp::Mul => &self.__mul__,
            BinOp::MatMul => &self.__matmul__,
            BinOp::TrueDiv => &self.__truediv__,
            BinOp::FloorDiv => &self.__floordiv__,
            BinOp::Mod => &self.__mod__,
            BinOp::DivMod => &self.__divmod__,
            BinOp::Pow => &self.__pow__,
            BinOp::LShift => &self.__lshift__,
            BinOp::RShift => &self.__rshift__,
            BinOp::And => &self.__and__,
            BinOp::Or => &self.__or__,
            BinOp::Xor => &self.__xor__,
        }
    }

    /// The method of a comparison.
    pub fn compare(&self, op: CmpOp) -> &Value {
        match op {
            CmpOp::Lt => &self.__lt__,
            CmpOp::Le => &self.__le__,
            CmpOp::Eq => &self.__eq__,
            CmpOp::Ne => &self.__ne__,
            CmpOp::Gt => &self.__gt__,
            CmpOp::Ge => &self.__ge__,
        }
    }
}

/// Owns the [`State`]; a separate type so that `Interpreter::state` can make it before it is filled.
#[derive(Default)]
pub struct Owner(std::cell::OnceCell<Box<State>>);

impl Owner {
    /// Takes `state` in and tells `vm` where it stands.
    pub fn fill(&self, vm: &Interpreter, state: State) {
        let state = self.0.get_or_init(|| Box::new(state));
        vm.loop_state.set(ptr::from_ref::<State>(state).cast());
    }
}

/// The machine's state.
#[inline(always)]
pub fn state(vm: &Interpreter) -> &State {
    debug_assert!(!vm.loop_state.get().is_null());
    // SAFETY: `Owner::fill` put the address of a boxed `State` there, which lives as long as the interpreter's states;
    // code runs only between `install` and the interpreter's end.
    unsafe { &*vm.loop_state.get().cast::<State>() }
}

/// The stack of the running thread.
#[inline(always)]
pub fn thread(vm: &Interpreter) -> &Thread {
    // SAFETY: set by `install`, and by whoever lets another thread run, to a live stack.
    unsafe { &*state(vm).thread.get() }
}
