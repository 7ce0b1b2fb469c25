//! The private form's opcodes, as one table.
//!
//! Registers stand in one window a frame: locals, then cells and free variables, then temporaries. Operands `b` and `c`
//! of type "rk" are a register, or, when negative, a constant counted from the end of the constants. An instruction that
//! reads a temporary consumes it. `k` is `d`, a number, a jump's target or the index of a name; `e` is an inline cache.

macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
            /// nothing: keeps a line visible to tracing
            Nop,
            /// `r[a] = rk(b)`, a temporary `b` being kept
            Move,
            /// `r[a] = r[b]`, the temporary `b` being consumed
            Take,
            /// exchanges `r[a]` and `r[b]`
            Swap,
            /// `r[a] = const[k]`
            LoadConst,
            /// drops the temporary `a`
            Drop,
            /// raises when local `a` is unbound
            CheckLocal,
            /// `del` local `a`
            DeleteLocal,
            /// `r[a] = rk(b) + rk(c)`, and so on
            Add, Sub, Mul, MatMul, TrueDiv, FloorDiv, Mod, DivMod, Pow, LShift, RShift, And, Or, Xor,
            /// `r[a] = rk(b)`, changed in place by `+= rk(c)`, and so on
            InplaceAdd, InplaceSub, InplaceMul, InplaceMatMul, InplaceTrueDiv, InplaceFloorDiv, InplaceMod, InplaceDivMod, InplacePow,
            InplaceLShift, InplaceRShift, InplaceAnd, InplaceOr, InplaceXor,
            /// `r[a] = -rk(b)`
            Neg,
            /// `r[a] = +rk(b)`
            Pos,
            /// `r[a] = ~rk(b)`
            Invert,
            /// `r[a] = not rk(b)`
            Not,
            /// `r[a] = rk(b) < rk(c)`, and so on
            Lt, Le, Eq, Ne, Gt, Ge,
            /// `if rk(b) < rk(c) is a: jump to k`, and so on
            JumpLt, JumpLe, JumpEq, JumpNe, JumpGt, JumpGe,
            /// `r[a] = (rk(b) is rk(c)) != k`
            Is,
            /// `if (rk(b) is rk(c)) == a: jump to k`
            JumpIs,
            /// `r[a] = (rk(b) in rk(c)) != k`
            Contains,
            /// `if (rk(b) in rk(c)) == a: jump to k`
            JumpContains,
            /// `jump to k`
            Jump,
            /// `jump to k`, backwards: signals, limits and the collector are polled
            JumpBack,
            /// `if not rk(b): jump to k`
            JumpIfFalse,
            /// `if rk(b): jump to k`
            JumpIfTrue,
            /// `if not r[b]: jump to k`, else the temporary is dropped
            JumpIfFalseKeep,
            /// `if r[b]: jump to k`, else the temporary is dropped
            JumpIfTrueKeep,
            /// `r[a] = globals or builtins[name k]`
            LoadGlobal,
            /// `r[a] = locals, globals or builtins[name k]`
            LoadName,
            /// `locals[name k] = rk(b)`
            StoreName,
            /// `globals[name k] = rk(b)`
            StoreGlobal,
            /// `r[a] = rk(b).name k`
            LoadAttr,
            /// `rk(b).name k = rk(c)`
            StoreAttr,
            /// `r[a], r[a + 1] = function, rk(b)`, or `unbound, rk(b).name k`
            LoadMethod,
            /// `r[a] = super().name k`, `super` being the global name `b` and `__class__` in the cell `r[c]`
            LoadSuperAttr,
            /// `r[a], r[a + 1] = function, r[0]`, or `unbound, super().name k`; as `LoadSuperAttr`
            LoadSuperMethod,
            /// `r[a] = rk(b)[rk(c)]`
            LoadSubscr,
            /// `rk(a)[rk(b)] = rk(c)`
            StoreSubscr,
            /// `r[a] = rk(b)[rk(c):rk(k)]`
            LoadSlice,
            /// `rk(a)[rk(b):rk(k)] = rk(c)`
            StoreSlice,
            /// `r[a] = contents of cell r[b]`
            LoadDeref,
            /// `contents of cell r[a] = rk(b)`
            StoreDeref,
            /// `r[a] = r[b](*r[b + 1 ..][..c])`
            Call,
            /// `r[a] =` call what `LoadMethod` put into `r[b]`, `r[b + 1]`, with `c` arguments behind them
            CallMethod,
            /// as `Call`, the last arguments by keyword: names in constant `k`
            CallKw,
            /// `r[a] =` the comprehension `k` of the form over the iterator `r[b]`
            Comprehension,
            /// `r[a] =` a function for the comprehension `k`
            MakeComprehension,
            /// `r[a] = iter(rk(b))`
            GetIter,
            /// `r[a] = next(r[b])`, or at its end drop `r[b]` and jump to k
            ForIter,
            /// `r[a] = tuple(r[b..][..k])`
            BuildTuple,
            /// `r[a] = list(r[b..][..k])`
            BuildList,
            /// `r[a] = ''.join(r[b..][..k])`
            BuildString,
            /// `r[a] = format(rk(b), '')`, or, `k` saying so, `str(rk(b))`, `repr(rk(b))`, `ascii(rk(b))`
            Format,
            /// `r[b].append(rk(c))`
            ListAppend,
            /// `r[a..][..k] = reversed(items of rk(b))`
            UnpackSequence,
            /// `if not matches(rk(b), rk(c)): jump to k`
            JumpIfNotExcMatch,
            /// `return rk(b)`
            Return,
            /// `r[a] = yield rk(b)`
            Yield,
            /// `r[a] = yield from r[a]`, `r[b]` being the value to send
            YieldFrom,
            /// the wordcode instruction `b` with argument `k`, on the temporaries below register `a` as its stack
            Generic,
        }
    };
}

macro_rules! define_enum {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// An opcode of the private form; see the module's text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Op { $($(#[$doc])* $name,)* }
        impl Op {
            /// Every opcode, by its number.
            pub const ALL: &'static [Op] = &[$(Op::$name,)*];
            /// The name that listings show.
            pub fn name(self) -> &'static str { match self { $(Op::$name => stringify!($name),)* } }
        }
    };
}
for_each_op!(define_enum);

impl Op {
    /// The opcode `by` rows further: for families whose members stand in a known order.
    pub fn offset(self, by: usize) -> Op {
        Op::ALL[self as usize + by]
    }
}
