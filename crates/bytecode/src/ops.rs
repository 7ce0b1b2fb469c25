//! The opcodes, as one table that everything else about them is derived from.
//!
//! In the docs `s` is the value stack, its top `s[-1]`; `n` is the argument; `popn(n)` takes the top
//! `n` values in the order they were pushed.

/// Calls the macro `$m` with every opcode: docs, variant, name, number, operand kind and stack effect
/// as a function of the argument and of whether the instruction jumps.
#[macro_export]
macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
            /// `pop()`.
            PopTop, "POP_TOP", 1, None, |_, _| -1;
            /// `s[-1], s[-2] = s[-2], s[-1]`.
            RotTwo, "ROT_TWO", 2, None, |_, _| 0;
            /// `s[-1], s[-2], s[-3] = s[-2], s[-3], s[-1]`.
            RotThree, "ROT_THREE", 3, None, |_, _| 0;
            /// `push(s[-1])`.
            DupTop, "DUP_TOP", 4, None, |_, _| 1;
            /// `s += s[-2:]`.
            DupTopTwo, "DUP_TOP_TWO", 5, None, |_, _| 2;
            /// `s[-1], s[-2], s[-3], s[-4] = s[-2], s[-3], s[-4], s[-1]`.
            RotFour, "ROT_FOUR", 6, None, |_, _| 0;
            /// `pass`.
            Nop, "NOP", 9, None, |_, _| 0;
            /// `push(+pop())`.
            UnaryPositive, "UNARY_POSITIVE", 10, None, |_, _| 0;
            /// `push(-pop())`.
            UnaryNegative, "UNARY_NEGATIVE", 11, None, |_, _| 0;
            /// `push(not pop())`.
            UnaryNot, "UNARY_NOT", 12, None, |_, _| 0;
            /// `push(~pop())`.
            UnaryInvert, "UNARY_INVERT", 15, None, |_, _| 0;
            /// `b = pop(); a = pop(); push(a @ b)`.
            BinaryMatrixMultiply, "BINARY_MATRIX_MULTIPLY", 16, None, |_, _| -1;
            /// `b = pop(); a = pop(); a @= b; push(a)`.
            InplaceMatrixMultiply, "INPLACE_MATRIX_MULTIPLY", 17, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a ** b)`.
            BinaryPower, "BINARY_POWER", 19, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a * b)`.
            BinaryMultiply, "BINARY_MULTIPLY", 20, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a % b)`.
            BinaryModulo, "BINARY_MODULO", 22, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a + b)`.
            BinaryAdd, "BINARY_ADD", 23, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a - b)`.
            BinarySubtract, "BINARY_SUBTRACT", 24, None, |_, _| -1;
            /// `i = pop(); push(pop()[i])`.
            BinarySubscr, "BINARY_SUBSCR", 25, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a // b)`.
            BinaryFloorDivide, "BINARY_FLOOR_DIVIDE", 26, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a / b)`.
            BinaryTrueDivide, "BINARY_TRUE_DIVIDE", 27, None, |_, _| -1;
            /// `b = pop(); a = pop(); a //= b; push(a)`.
            InplaceFloorDivide, "INPLACE_FLOOR_DIVIDE", 28, None, |_, _| -1;
            /// `b = pop(); a = pop(); a /= b; push(a)`.
            InplaceTrueDivide, "INPLACE_TRUE_DIVIDE", 29, None, |_, _| -1;
            /// `push(len(s[-1]))`.
            GetLen, "GET_LEN", 30, None, |_, _| 1;
            /// `push(isinstance(s[-1], Mapping))`.
            MatchMapping, "MATCH_MAPPING", 31, None, |_, _| 1;
            /// `push(is_sequence(s[-1]))`, strings and bytes not being sequences here.
            MatchSequence, "MATCH_SEQUENCE", 32, None, |_, _| 1;
            /// `push(values of the keys s[-1] in s[-2], or None); push(whether all were there)`.
            MatchKeys, "MATCH_KEYS", 33, None, |_, _| 2;
            /// `s[-1] = {k: v for k, v in s[-2].items() if k not in s[-1]}`.
            CopyDictWithoutKeys, "COPY_DICT_WITHOUT_KEYS", 34, None, |_, _| 0;
            /// `t = pop(); g = pop(); match, rest = split(g, t); push(rest, match)`, each a group or None.
            CheckEgMatch, "CHECK_EG_MATCH", 35, None, |_, _| 0;
            /// `raised = pop(); g = pop(); push(what an except* statement raises at its end, or None)`.
            PrepReraiseStar, "PREP_RERAISE_STAR", 36, None, |_, _| -1;
            /// `push(locals())`.
            LoadLocals, "LOAD_LOCALS", 37, None, |_, _| 1;
            /// `interpolations = pop(); push(Template(pop(), interpolations))`.
            BuildTemplate, "BUILD_TEMPLATE", 38, None, |_, _| -1;
            /// `push(NotImplementedError)`.
            LoadNotImplementedError, "LOAD_NOT_IMPLEMENTED_ERROR", 39, None, |_, _| 1;
            /// `push(s[-7](type, value, traceback))` of the exception in `s[-3:]`.
            WithExceptStart, "WITH_EXCEPT_START", 49, None, |_, _| 1;
            /// `push(aiter(pop()))`.
            GetAiter, "GET_AITER", 50, None, |_, _| 0;
            /// `push(awaitable of s[-1].__anext__())`.
            GetAnext, "GET_ANEXT", 51, None, |_, _| 1;
            /// `m = pop(); push(m.__aexit__); push(m.__aenter__())`.
            BeforeAsyncWith, "BEFORE_ASYNC_WITH", 52, None, |_, _| 1;
            /// `drop exception, handler and iterator` at StopAsyncIteration, else raise again.
            EndAsyncFor, "END_ASYNC_FOR", 54, None, |_, _| -7;
            /// `b = pop(); a = pop(); a += b; push(a)`.
            InplaceAdd, "INPLACE_ADD", 55, None, |_, _| -1;
            /// `b = pop(); a = pop(); a -= b; push(a)`.
            InplaceSubtract, "INPLACE_SUBTRACT", 56, None, |_, _| -1;
            /// `b = pop(); a = pop(); a *= b; push(a)`.
            InplaceMultiply, "INPLACE_MULTIPLY", 57, None, |_, _| -1;
            /// `b = pop(); a = pop(); a %= b; push(a)`.
            InplaceModulo, "INPLACE_MODULO", 59, None, |_, _| -1;
            /// `i = pop(); o = pop(); o[i] = pop()`.
            StoreSubscr, "STORE_SUBSCR", 60, None, |_, _| -3;
            /// `i = pop(); del pop()[i]`.
            DeleteSubscr, "DELETE_SUBSCR", 61, None, |_, _| -2;
            /// `b = pop(); a = pop(); push(a << b)`.
            BinaryLshift, "BINARY_LSHIFT", 62, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a >> b)`.
            BinaryRshift, "BINARY_RSHIFT", 63, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a & b)`.
            BinaryAnd, "BINARY_AND", 64, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a ^ b)`.
            BinaryXor, "BINARY_XOR", 65, None, |_, _| -1;
            /// `b = pop(); a = pop(); push(a | b)`.
            BinaryOr, "BINARY_OR", 66, None, |_, _| -1;
            /// `b = pop(); a = pop(); a **= b; push(a)`.
            InplacePower, "INPLACE_POWER", 67, None, |_, _| -1;
            /// `push(iter(pop()))`.
            GetIter, "GET_ITER", 68, None, |_, _| 0;
            /// `push(iter(pop()))`, but generators and coroutines stay as they are.
            GetYieldFromIter, "GET_YIELD_FROM_ITER", 69, None, |_, _| 0;
            /// `sys.displayhook(pop())`.
            PrintExpr, "PRINT_EXPR", 70, None, |_, _| -1;
            /// `push(builtins.__build_class__)`.
            LoadBuildClass, "LOAD_BUILD_CLASS", 71, None, |_, _| 1;
            /// `v = pop(); s[-1] = result of sending v into s[-1]`, yielding until it is finished.
            YieldFrom, "YIELD_FROM", 72, None, |_, _| -1;
            /// `push(awaitable iterator of pop())`.
            GetAwaitable, "GET_AWAITABLE", 73, None, |_, _| 0;
            /// `push(AssertionError)`.
            LoadAssertionError, "LOAD_ASSERTION_ERROR", 74, None, |_, _| 1;
            /// `b = pop(); a = pop(); a <<= b; push(a)`.
            InplaceLshift, "INPLACE_LSHIFT", 75, None, |_, _| -1;
            /// `b = pop(); a = pop(); a >>= b; push(a)`.
            InplaceRshift, "INPLACE_RSHIFT", 76, None, |_, _| -1;
            /// `b = pop(); a = pop(); a &= b; push(a)`.
            InplaceAnd, "INPLACE_AND", 77, None, |_, _| -1;
            /// `b = pop(); a = pop(); a ^= b; push(a)`.
            InplaceXor, "INPLACE_XOR", 78, None, |_, _| -1;
            /// `b = pop(); a = pop(); a |= b; push(a)`.
            InplaceOr, "INPLACE_OR", 79, None, |_, _| -1;
            /// `push(tuple(pop()))`.
            ListToTuple, "LIST_TO_TUPLE", 82, None, |_, _| 0;
            /// `return pop()`.
            ReturnValue, "RETURN_VALUE", 83, None, |_, _| -1;
            /// `locals().update(public names of pop())`.
            ImportStar, "IMPORT_STAR", 84, None, |_, _| -1;
            /// `locals().setdefault("__annotations__", {})`.
            SetupAnnotations, "SETUP_ANNOTATIONS", 85, None, |_, _| 0;
            /// `s[-1] = yield s[-1]`.
            YieldValue, "YIELD_VALUE", 86, None, |_, _| 0;
            /// `blocks.pop()`.
            PopBlock, "POP_BLOCK", 87, None, |_, _| 0;
            /// `blocks.pop(); restore the handled exception from three popped values`.
            PopExcept, "POP_EXCEPT", 89, None, |_, _| -3;
            /// `locals()[name] = pop()`.
            StoreName, "STORE_NAME", 90, Name, |_, _| -1;
            /// `del locals()[name]`.
            DeleteName, "DELETE_NAME", 91, Name, |_, _| 0;
            /// `s += reversed(exactly n items of pop())`.
            UnpackSequence, "UNPACK_SEQUENCE", 92, Raw, |n, _| n - 1;
            /// `push(next(s[-1]))`, or at its end `pop()` and jump.
            ForIter, "FOR_ITER", 93, JumpRelative, |_, j| if j { -1 } else { 1 };
            /// `s += reversed(items of pop())`: `n & 255` before the starred list, `n >> 8` after it.
            UnpackEx, "UNPACK_EX", 94, Raw, |n, _| (n & 0xff) + (n >> 8);
            /// `o = pop(); o.name = pop()`.
            StoreAttr, "STORE_ATTR", 95, Name, |_, _| -2;
            /// `del pop().name`.
            DeleteAttr, "DELETE_ATTR", 96, Name, |_, _| -1;
            /// `globals()[name] = pop()`.
            StoreGlobal, "STORE_GLOBAL", 97, Name, |_, _| -1;
            /// `del globals()[name]`.
            DeleteGlobal, "DELETE_GLOBAL", 98, Name, |_, _| 0;
            /// `s[-n:] = [s[-1], *s[-n:-1]]`.
            RotN, "ROT_N", 99, Raw, |_, _| 0;
            /// `push(const)`.
            LoadConst, "LOAD_CONST", 100, Const, |_, _| 1;
            /// `push(name in locals, globals or builtins)`.
            LoadName, "LOAD_NAME", 101, Name, |_, _| 1;
            /// `push(tuple(popn(n)))`.
            BuildTuple, "BUILD_TUPLE", 102, Raw, |n, _| 1 - n;
            /// `push(list(popn(n)))`.
            BuildList, "BUILD_LIST", 103, Raw, |n, _| 1 - n;
            /// `push(set(popn(n)))`.
            BuildSet, "BUILD_SET", 104, Raw, |n, _| 1 - n;
            /// `push(dict(pairs of popn(2 * n)))`.
            BuildMap, "BUILD_MAP", 105, Raw, |n, _| 1 - 2 * n;
            /// `push(pop().name)`.
            LoadAttr, "LOAD_ATTR", 106, Name, |_, _| 0;
            /// `b = pop(); a = pop(); push(a <compare> b)`.
            CompareOp, "COMPARE_OP", 107, Compare, |_, _| -1;
            /// `from_list = pop(); level = pop(); push(__import__(name, from_list, level))`.
            ImportName, "IMPORT_NAME", 108, Name, |_, _| -1;
            /// `push(s[-1].name)`, or the submodule of that name.
            ImportFrom, "IMPORT_FROM", 109, Name, |_, _| 1;
            /// `jump`.
            JumpForward, "JUMP_FORWARD", 110, JumpRelative, |_, _| 0;
            /// `if s[-1]: pop()`, else jump.
            JumpIfFalseOrPop, "JUMP_IF_FALSE_OR_POP", 111, JumpAbsolute, |_, j| if j { 0 } else { -1 };
            /// `if not s[-1]: pop()`, else jump.
            JumpIfTrueOrPop, "JUMP_IF_TRUE_OR_POP", 112, JumpAbsolute, |_, j| if j { 0 } else { -1 };
            /// `jump`.
            JumpAbsolute, "JUMP_ABSOLUTE", 113, JumpAbsolute, |_, _| 0;
            /// `if not pop(): jump`.
            PopJumpIfFalse, "POP_JUMP_IF_FALSE", 114, JumpAbsolute, |_, _| -1;
            /// `if pop(): jump`.
            PopJumpIfTrue, "POP_JUMP_IF_TRUE", 115, JumpAbsolute, |_, _| -1;
            /// `push(name in globals or builtins)`.
            LoadGlobal, "LOAD_GLOBAL", 116, Name, |_, _| 1;
            /// `b = pop(); a = pop(); push((a is b) != n)`.
            IsOp, "IS_OP", 117, Raw, |_, _| -1;
            /// `b = pop(); a = pop(); push((a in b) != n)`.
            ContainsOp, "CONTAINS_OP", 118, Raw, |_, _| -1;
            /// `raise the exception in popn(3) again`; with `n`, as if from the handler's place.
            Reraise, "RERAISE", 119, Raw, |_, _| -3;
            /// `t = pop(); if not matches(pop(), t): jump`.
            JumpIfNotExcMatch, "JUMP_IF_NOT_EXC_MATCH", 121, JumpAbsolute, |_, _| -2;
            /// `blocks.push(target, depth)`; the target starts with six values more.
            SetupFinally, "SETUP_FINALLY", 122, JumpRelative, |_, j| if j { 6 } else { 0 };
            /// `push(local)`.
            LoadFast, "LOAD_FAST", 124, Local, |_, _| 1;
            /// `local = pop()`.
            StoreFast, "STORE_FAST", 125, Local, |_, _| -1;
            /// `del local`.
            DeleteFast, "DELETE_FAST", 126, Local, |_, _| 0;
            /// `pop()`, the None first sent into a generator.
            GenStart, "GEN_START", 129, Raw, |_, _| -1;
            /// `raise`, `raise pop()`, or `cause = pop(); raise pop() from cause` by `n`.
            RaiseVarargs, "RAISE_VARARGS", 130, Raw, |n, _| -n;
            /// `args = popn(n); push(pop()(*args))`.
            CallFunction, "CALL_FUNCTION", 131, Raw, |n, _| -n;
            /// `qualname = pop(); code = pop(); push(function)`: bits 1 defaults, 2 keyword defaults, 4 annotations, 8 closure.
            MakeFunction, "MAKE_FUNCTION", 132, Raw, |n, _| -1 - (n & 0xf).count_ones() as i32;
            /// `push(slice(*popn(n)))`.
            BuildSlice, "BUILD_SLICE", 133, Raw, |n, _| if n == 3 { -2 } else { -1 };
            /// `push(cell)`.
            LoadClosure, "LOAD_CLOSURE", 135, Cell, |_, _| 1;
            /// `push(cell.contents)`.
            LoadDeref, "LOAD_DEREF", 136, Cell, |_, _| 1;
            /// `cell.contents = pop()`.
            StoreDeref, "STORE_DEREF", 137, Cell, |_, _| -1;
            /// `del cell.contents`.
            DeleteDeref, "DELETE_DEREF", 138, Cell, |_, _| 0;
            /// `names = pop(); args = popn(n); push(pop()(...))`, the last `len(names)` by keyword.
            CallFunctionKw, "CALL_FUNCTION_KW", 141, Raw, |n, _| -n - 1;
            /// `if n & 1: kw = pop()`; `args = pop(); push(pop()(*args, **kw))`.
            CallFunctionEx, "CALL_FUNCTION_EX", 142, Raw, |n, _| -1 - (n & 1);
            /// `m = pop(); push(m.__exit__); blocks.push(target, depth); push(m.__enter__())`.
            SetupWith, "SETUP_WITH", 143, JumpRelative, |_, j| if j { 6 } else { 1 };
            /// the next instruction's argument gets `n << 8`.
            ExtendedArg, "EXTENDED_ARG", 144, Raw, |_, _| 0;
            /// `v = pop(); s[-n].append(v)`.
            ListAppend, "LIST_APPEND", 145, Raw, |_, _| -1;
            /// `v = pop(); s[-n].add(v)`.
            SetAdd, "SET_ADD", 146, Raw, |_, _| -1;
            /// `v = pop(); k = pop(); s[-n][k] = v`.
            MapAdd, "MAP_ADD", 147, Raw, |_, _| -2;
            /// `push(name in locals, or cell.contents)`.
            LoadClassderef, "LOAD_CLASSDEREF", 148, Cell, |_, _| 1;
            /// `names = pop(); s[-2], s[-1] = attributes or s[-2], whether it matched`; `n` positional patterns.
            MatchClass, "MATCH_CLASS", 152, Raw, |_, _| -1;
            /// `blocks.push(target, depth - 1)`.
            SetupAsyncWith, "SETUP_ASYNC_WITH", 154, JumpRelative, |_, j| if j { 5 } else { 0 };
            /// `spec = pop() if n & 4; push(format(convert(pop()), spec))`; `n & 3`: none, str, repr, ascii.
            FormatValue, "FORMAT_VALUE", 155, Raw, |n, _| if n & 4 == 4 { -1 } else { 0 };
            /// `keys = pop(); push(dict(zip(keys, popn(n))))`.
            BuildConstKeyMap, "BUILD_CONST_KEY_MAP", 156, Raw, |n, _| -n;
            /// `push("".join(popn(n)))`.
            BuildString, "BUILD_STRING", 157, Raw, |n, _| 1 - n;
            /// `o = pop(); push(function, o)`, or `push(NULL, o.name)`.
            LoadMethod, "LOAD_METHOD", 160, Name, |_, _| 1;
            /// `args = popn(n); call what LOAD_METHOD pushed`; push the result.
            CallMethod, "CALL_METHOD", 161, Raw, |n, _| -n - 1;
            /// `v = pop(); s[-n].extend(v)`.
            ListExtend, "LIST_EXTEND", 162, Raw, |_, _| -1;
            /// `v = pop(); s[-n].update(v)`.
            SetUpdate, "SET_UPDATE", 163, Raw, |_, _| -1;
            /// `v = pop(); s[-n].update(v)`, a key twice being an error of the call.
            DictMerge, "DICT_MERGE", 164, Raw, |_, _| -1;
            /// `v = pop(); s[-n].update(v)`.
            DictUpdate, "DICT_UPDATE", 165, Raw, |_, _| -1;
            /// `d = pop(); push(name in d, globals or builtins)`.
            LoadFromDictOrGlobals, "LOAD_FROM_DICT_OR_GLOBALS", 170, Name, |_, _| 0;
            /// `d = pop(); push(name in d, or cell.contents)`.
            LoadFromDictOrDeref, "LOAD_FROM_DICT_OR_DEREF", 171, Cell, |_, _| 0;
            /// `spec = pop() if n & 1; text = pop(); push(Interpolation(pop(), text, n >> 2, spec))`; `n >> 2`: none, str, repr, ascii.
            BuildInterpolation, "BUILD_INTERPOLATION", 172, Raw, |n, _| -1 - (n & 1);
            /// `push(intrinsic(pop()))`, see [`Intrinsic`].
            Intrinsic1, "INTRINSIC_1", 173, Raw, |_, _| 0;
            /// `b = pop(); push(intrinsic(pop(), b))`, see [`Intrinsic`].
            Intrinsic2, "INTRINSIC_2", 174, Raw, |_, _| -1;
        }
    };
}

/// What an instruction's argument means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing: the opcode has no argument.
    None,
    /// An index into the constants.
    Const,
    /// An index into the names.
    Name,
    /// An index into the local variables.
    Local,
    /// An index into the cell variables followed by the free variables.
    Cell,
    /// A distance in instructions from the following instruction.
    JumpRelative,
    /// A position in instructions from the start.
    JumpAbsolute,
    /// An index into [`COMPARE`].
    Compare,
    /// A number: a count, or flags.
    Raw,
}

/// The operators of `COMPARE_OP`, by its argument.
pub const COMPARE: [&str; 6] = ["<", "<=", "==", "!=", ">", ">="];

/// The first opcode number that takes an argument.
pub const HAVE_ARGUMENT: u8 = 90;

macro_rules! define {
    ($($(#[$doc:meta])* $variant:ident, $name:literal, $number:literal, $kind:ident, $effect:expr;)*) => {
        /// An opcode.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $variant = $number,)* }

        impl Op {
            /// Every opcode, by its number.
            pub const ALL: &'static [Op] = &[$(Op::$variant,)*];

            /// The opcode of a number.
            pub const fn from_u8(number: u8) -> Option<Op> {
                match number { $($number => Some(Op::$variant),)* _ => None }
            }

            /// The name that `dis` prints.
            pub const fn name(self) -> &'static str {
                match self { $(Op::$variant => $name,)* }
            }

            /// What the argument means.
            pub const fn operand(self) -> Operand {
                match self { $(Op::$variant => Operand::$kind,)* }
            }

            fn effect(self, arg: i32, jump: bool) -> i32 {
                match self { $(Op::$variant => { let f: fn(i32, bool) -> i32 = $effect; f(arg, jump) })* }
            }
        }
    };
}
for_each_op!(define);

impl Op {
    /// Whether the argument means something.
    pub const fn has_arg(self) -> bool {
        self as u8 >= HAVE_ARGUMENT
    }

    /// How many values the stack grows by; without `jump`, the larger of both ways.
    ///
    /// Arguments beyond 2^29, which no stack could serve, count as 2^29.
    pub fn stack_effect(self, arg: u32, jump: Option<bool>) -> i32 {
        let arg = arg.min(1 << 29) as i32;
        match jump {
            Some(jump) => self.effect(arg, jump),
            None => self.effect(arg, false).max(self.effect(arg, true)),
        }
    }

    /// Whether the argument is a place in the code.
    pub const fn is_jump(self) -> bool {
        matches!(self.operand(), Operand::JumpRelative | Operand::JumpAbsolute)
    }
}

/// The functions behind `INTRINSIC_1` and `INTRINSIC_2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Intrinsic {
    /// `TypeVar(name)`.
    TypeVar,
    /// `TypeVar(name, bound=evaluator)`.
    TypeVarWithBound,
    /// `TypeVar(name, *constraints)` with an evaluator of the constraints.
    TypeVarWithConstraints,
    /// `ParamSpec(name)`.
    ParamSpec,
    /// `TypeVarTuple(name)`.
    TypeVarTuple,
    /// The type parameter with an evaluator of its default.
    SetTypeParamDefault,
    /// `TypeAliasType` of a tuple of name, type parameters and evaluator.
    TypeAlias,
    /// `Generic[parameters]`.
    SubscriptGeneric,
    /// The function with its `__type_params__`.
    SetFunctionTypeParams,
}

impl Intrinsic {
    /// Every intrinsic, by its number.
    pub const ALL: [Intrinsic; 9] = [
        Intrinsic::TypeVar,
        Intrinsic::TypeVarWithBound,
        Intrinsic::TypeVarWithConstraints,
        Intrinsic::ParamSpec,
        Intrinsic::TypeVarTuple,
        Intrinsic::SetTypeParamDefault,
        Intrinsic::TypeAlias,
        Intrinsic::SubscriptGeneric,
        Intrinsic::SetFunctionTypeParams,
    ];

    /// The intrinsic of a number.
    pub fn from_arg(arg: u32) -> Option<Intrinsic> {
        Intrinsic::ALL.get(arg as usize).copied()
    }

    /// How many values it takes: 1 or 2.
    pub const fn arity(self) -> u32 {
        use Intrinsic::*;
        match self {
            TypeVar | ParamSpec | TypeVarTuple | TypeAlias | SubscriptGeneric => 1,
            TypeVarWithBound | TypeVarWithConstraints | SetTypeParamDefault | SetFunctionTypeParams => 2,
        }
    }
}
