//! Reading objects: a machine with a stack of values and marks on it.

use super::errors::{is_unpickling, unpickling};
use super::global::dotted;
use super::memo::Memo;
use super::opcodes::*;
use super::source::Source;
use pellucid_object::int::IBig;
use pellucid_object::native::GetSet;
use pellucid_object::set::Set;
use pellucid_object::{CallArgs, Dict, Interpreter, List, Raised, Ref, Res, Str, Text, Tuple, Type, Value};
use std::cell::{Cell, RefCell};

/// How an unpickler was set up.
pub struct Setup {
    pub fix_imports: bool,
    /// For the byte strings of Python 2; `bytes` leaves them as they are.
    pub encoding: String,
    pub errors: String,
    pub buffers: Option<Value>,
    /// The unpickler itself, when its class may say how to find globals.
    pub finder: Option<Value>,
    pub persistent_load: Option<Value>,
}

/// One run of an unpickler.
pub struct Loader<'a> {
    vm: &'a Interpreter,
    source: Source<'a>,
    memo: &'a RefCell<Memo>,
    setup: Setup,
    protocol: i64,
    published: Option<&'a Cell<i64>>,
    stack: Vec<Value>,
    marks: Vec<usize>,
}

impl<'a> Loader<'a> {
    pub fn new(vm: &'a Interpreter, source: Source<'a>, memo: &'a RefCell<Memo>, setup: Setup) -> Loader<'a> {
        Loader { vm, source, memo, setup, protocol: 0, published: None, stack: Vec::new(), marks: Vec::new() }
    }

    /// Reads one object. Errors: `UnpicklingError`, `EOFError`, what making objects raises.
    pub fn load(&mut self) -> Res {
        let vm = self.vm;
        loop {
            let op = match self.source.byte(vm) {
                Ok(op) => op,
                Err(raised) if is_unpickling(vm) => {
                    drop(vm.take_raised(raised));
                    return Err(vm.eof_error("Ran out of input".to_string()));
                }
                Err(raised) => return Err(raised),
            };
            if op == STOP {
                return self.pop();
            }
            self.step(op)?;
        }
    }

    /// Tells `find_class` of the unpickler which protocol the pickle has.
    pub fn publish(&mut self, protocol: &'a Cell<i64>) {
        self.published = Some(protocol);
    }

    /// What was read ahead of the end of the pickle, and the protocol that it named.
    pub fn finish(self) -> (Source<'a>, i64) {
        (self.source, self.protocol)
    }

    // ---- the stack ----

    fn underflow(&self) -> Raised {
        let what = if self.marks.is_empty() { "unpickling stack underflow" } else { "unexpected MARK found" };
        unpickling(self.vm, what)
    }
    fn fence(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }
    fn push(&mut self, value: Value) -> Res<()> {
        if self.stack.len() == self.stack.capacity() && self.stack.try_reserve(1).is_err() {
            return Err(self.vm.no_memory());
        }
        self.stack.push(value);
        Ok(())
    }
    fn pop(&mut self) -> Res {
        if self.stack.len() <= self.fence() {
            return Err(self.underflow());
        }
        self.stack.pop().ok_or_else(|| self.underflow())
    }
    fn top(&self) -> Res {
        match self.stack.last() {
            Some(top) if self.stack.len() > self.fence() => Ok(top.clone()),
            _ => Err(self.underflow()),
        }
    }
    /// Everything above the last mark, which goes as well.
    fn pop_mark(&mut self) -> Res<Vec<Value>> {
        match self.marks.pop() {
            Some(mark) => Ok(self.stack.split_off(mark.min(self.stack.len()))),
            None => Err(unpickling(self.vm, "could not find MARK")),
        }
    }
    fn pop_many(&mut self, count: usize) -> Res<Vec<Value>> {
        match self.stack.len().checked_sub(count) {
            Some(rest) if rest >= self.fence() => Ok(self.stack.split_off(rest)),
            _ => Err(self.underflow()),
        }
    }

    // ---- opcodes ----

    fn step(&mut self, op: u8) -> Res<()> {
        let vm = self.vm;
        match op {
            NONE => self.push(Value::NONE),
            NEWTRUE => self.push(Value::TRUE),
            NEWFALSE => self.push(Value::FALSE),
            BININT => {
                let i = self.source.i32(vm)?;
                self.push(vm.new_int(i64::from(i))?)
            }
            BININT1 => {
                let i = self.source.byte(vm)?;
                self.push(vm.new_int(i64::from(i))?)
            }
            BININT2 => {
                let i = self.source.u16(vm)?;
                self.push(vm.new_int(i64::from(i))?)
            }
            LONG1 => {
                let len = self.source.byte(vm)?;
                self.load_long_bytes(usize::from(len))
            }
            LONG4 => match usize::try_from(self.source.i32(vm)?) {
                Ok(len) => self.load_long_bytes(len),
                Err(_) => Err(unpickling(vm, "LONG pickle has negative byte count")),
            },
            BINFLOAT => {
                let bytes = self.source.array::<8>(vm)?;
                self.push(vm.new_float(f64::from_be_bytes(bytes))?)
            }
            SHORT_BINUNICODE => {
                let len = self.source.byte(vm)?;
                self.load_text(u64::from(len))
            }
            BINUNICODE => {
                let len = self.source.u32(vm)?;
                self.load_text(u64::from(len))
            }
            BINUNICODE8 => {
                let len = self.source.u64(vm)?;
                self.load_text(len)
            }
            SHORT_BINBYTES => {
                let len = self.source.byte(vm)?;
                self.load_bytes(u64::from(len))
            }
            BINBYTES => {
                let len = self.source.u32(vm)?;
                self.load_bytes(u64::from(len))
            }
            BINBYTES8 => {
                let len = self.source.u64(vm)?;
                self.load_bytes(len)
            }
            BYTEARRAY8 => {
                let len = self.source.u64(vm)?;
                let len = self.length("BYTEARRAY", len)?;
                let data = vm.copied(self.source.take(vm, len)?)?;
                self.push(vm.new_bytearray(data)?)
            }
            EMPTY_LIST => self.push(vm.new_list(Vec::new())?),
            EMPTY_DICT => self.push(vm.new_dict()?.into_value()),
            EMPTY_TUPLE => self.push(vm.new_tuple(Vec::new())?),
            EMPTY_SET => self.push(vm.new_set([])?),
            TUPLE1 => self.load_tuple_of(1),
            TUPLE2 => self.load_tuple_of(2),
            TUPLE3 => self.load_tuple_of(3),
            TUPLE => {
                let items = self.pop_mark()?;
                self.push(vm.new_tuple(items)?)
            }
            LIST => {
                let items = self.pop_mark()?;
                self.push(vm.new_list(items)?)
            }
            DICT => self.load_dict(),
            FROZENSET => {
                let items = self.pop_mark()?;
                self.push(vm.new_frozenset(items)?)
            }
            MARK => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            MEMOIZE => {
                let index = self.memo.borrow().len();
                self.remember(index)
            }
            BINPUT => {
                let index = self.source.byte(vm)?;
                self.remember(usize::from(index))
            }
            LONG_BINPUT => {
                let index = self.source.u32(vm)?;
                self.remember(index as usize)
            }
            PUT => {
                let index = self.decimal()?;
                match usize::try_from(index) {
                    Ok(index) => self.remember(index),
                    Err(_) => Err(vm.value_error("negative PUT argument".to_string())),
                }
            }
            BINGET => {
                let index = self.source.byte(vm)?;
                self.recall(i64::from(index))
            }
            LONG_BINGET => {
                let index = self.source.u32(vm)?;
                self.recall(i64::from(index))
            }
            GET => {
                let index = self.decimal()?;
                self.recall(index)
            }
            APPEND => {
                let item = self.pop()?;
                self.append_to(vec![item])
            }
            APPENDS => {
                let items = self.pop_mark()?;
                self.append_to(items)
            }
            SETITEM => {
                let pair = self.pop_many(2)?;
                self.set_items(pair)
            }
            SETITEMS => {
                let pairs = self.pop_mark()?;
                self.set_items(pairs)
            }
            ADDITEMS => self.load_additems(),
            BUILD => self.load_build(),
            REDUCE => {
                let args = self.pop()?;
                let function = self.pop()?;
                let result = self.call_with_tuple(&function, &args)?;
                self.push(result)
            }
            NEWOBJ => self.load_newobj(false),
            NEWOBJ_EX => self.load_newobj(true),
            STACK_GLOBAL => {
                let name = self.pop()?;
                let module = self.pop()?;
                let exact = |v: &Value| vm.is_exact(v, &vm.types().str);
                if !exact(&name) || !exact(&module) {
                    return Err(unpickling(vm, "STACK_GLOBAL requires str"));
                }
                let found = self.find_class(&module, &name)?;
                self.push(found)
            }
            GLOBAL => {
                let (module, name) = self.two_lines()?;
                let found = self.find_class(&module, &name)?;
                self.push(found)
            }
            PROTO => {
                let protocol = i64::from(self.source.byte(vm)?);
                if protocol > HIGHEST_PROTOCOL {
                    return Err(vm.value_error(format!("unsupported pickle protocol: {protocol}")));
                }
                self.protocol = protocol;
                if let Some(cell) = self.published {
                    cell.set(protocol);
                }
                Ok(())
            }
            FRAME => {
                let len = self.source.u64(vm)?;
                let len = usize::try_from(len).ok().filter(|&n| n <= isize::MAX as usize);
                match len {
                    Some(len) => self.source.fill(vm, len),
                    None => Err(vm.overflow_error("FRAME length exceeds system's maximum".to_string())),
                }
            }
            POP => match self.marks.last() {
                Some(&mark) if mark == self.stack.len() => {
                    self.marks.pop();
                    Ok(())
                }
                _ => self.pop().map(drop),
            },
            POP_MARK => self.pop_mark().map(drop),
            DUP => {
                let top = self.top()?;
                self.push(top)
            }
            _ => self.rare_step(op),
        }
    }

    /// Opcodes of protocol 0, of byte strings, extensions, persistent ids and buffers.
    fn rare_step(&mut self, op: u8) -> Res<()> {
        let vm = self.vm;
        match op {
            INT => self.load_int_line(),
            LONG => {
                let line = self.source.line(vm)?;
                let digits = line.strip_suffix(b"L").unwrap_or(&line);
                let value = self.parse_int(digits)?;
                self.push(value)
            }
            FLOAT => {
                let line = self.source.line(vm)?;
                let text = vm.new_bytes(line)?;
                let value = vm.call_values(vm.types().float.value(), &[text])?;
                self.push(value)
            }
            UNICODE => {
                let line = self.source.line(vm)?;
                let (text, _) =
                    pellucid_types::codecs::escape::raw_unicode_escape_decode(vm, &line, None, None, true)?;
                self.push(text)
            }
            STRING => {
                let line = self.source.line(vm)?;
                let quoted = match line.as_slice() {
                    [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
                    _ => return Err(unpickling(vm, "the STRING opcode argument must be quoted")),
                };
                let bytes = pellucid_types::codecs::escape::bytes_escape_decode(vm, quoted, None)?;
                self.push_old_string(&bytes)
            }
            BINSTRING => match usize::try_from(self.source.i32(vm)?) {
                Ok(len) => {
                    let bytes = vm.copied(self.source.take(vm, len)?)?;
                    self.push_old_string(&bytes)
                }
                Err(_) => Err(unpickling(vm, "BINSTRING pickle has negative byte count")),
            },
            SHORT_BINSTRING => {
                let len = self.source.byte(vm)?;
                let bytes = vm.copied(self.source.take(vm, usize::from(len))?)?;
                self.push_old_string(&bytes)
            }
            PERSID => {
                let line = self.source.line(vm)?;
                match std::str::from_utf8(&line) {
                    Ok(text) if text.is_ascii() => {
                        let id = vm.new_str(text)?;
                        self.load_persistent(&id)
                    }
                    _ => Err(unpickling(vm, "persistent IDs in protocol 0 must be ASCII strings")),
                }
            }
            BINPERSID => {
                let id = self.pop()?;
                self.load_persistent(&id)
            }
            INST => {
                let (module, name) = self.two_lines()?;
                let class = self.find_class(&module, &name)?;
                let args = self.pop_mark()?;
                let made = self.instantiate(&class, args)?;
                self.push(made)
            }
            OBJ => {
                let mut args = self.pop_mark()?;
                if args.is_empty() {
                    return Err(self.underflow());
                }
                let class = args.remove(0);
                let made = self.instantiate(&class, args)?;
                self.push(made)
            }
            EXT1 => {
                let code = self.source.byte(vm)?;
                self.load_extension(i64::from(code))
            }
            EXT2 => {
                let code = self.source.u16(vm)?;
                self.load_extension(i64::from(code))
            }
            EXT4 => {
                let code = self.source.i32(vm)?;
                self.load_extension(i64::from(code))
            }
            NEXT_BUFFER => self.load_next_buffer(),
            READONLY_BUFFER => self.load_readonly_buffer(),
            _ => {
                let shown = match op {
                    0x20..=0x7e if op != b'\'' => format!("'{}'", char::from(op)),
                    _ => format!("'\\x{op:02x}'"),
                };
                Err(unpickling(vm, &format!("invalid load key, {shown}.")))
            }
        }
    }

    // ---- numbers and text ----

    fn parse_int(&self, digits: &[u8]) -> Res {
        let vm = self.vm;
        let plain = std::str::from_utf8(digits).ok().and_then(|s| s.trim().parse::<i64>().ok());
        match plain {
            Some(i) => vm.new_int(i),
            None => {
                let text = vm.bytes_from(digits)?;
                vm.call_values(vm.types().int.value(), &[text, vm.new_int(0)?])
            }
        }
    }

    fn decimal(&mut self) -> Res<i64> {
        let line = self.source.line(self.vm)?;
        let value = self.parse_int(&line)?;
        self.vm.expect_i64(&value)
    }

    fn load_int_line(&mut self) -> Res<()> {
        let line = self.source.line(self.vm)?;
        let value = match line.as_slice() {
            b"00" => Value::FALSE,
            b"01" => Value::TRUE,
            digits => match self.parse_int(digits) {
                Ok(value) => value,
                Err(raised) if self.vm.raised_is(self.vm.exceptions().value_error()) => {
                    drop(self.vm.take_raised(raised));
                    return Err(self.vm.value_error("could not convert string to int".to_string()));
                }
                Err(raised) => return Err(raised),
            },
        };
        self.push(value)
    }

    /// Little-endian two's complement.
    fn load_long_bytes(&mut self, len: usize) -> Res<()> {
        let vm = self.vm;
        let bytes = self.source.take(vm, len)?;
        let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let value = if len <= 8 {
            let mut wide = [if negative { 0xff } else { 0 }; 8];
            wide[..len].copy_from_slice(bytes);
            vm.new_int(i64::from_le_bytes(wide))?
        } else if negative {
            let flipped: Vec<u8> = bytes.iter().map(|b| !b).collect();
            vm.new_big(-(unsigned(&flipped) + IBig::from(1)))?
        } else {
            vm.new_big(unsigned(bytes))?
        };
        self.push(value)
    }

    /// A length that the machine can hold.
    fn length(&self, what: &str, len: u64) -> Res<usize> {
        match usize::try_from(len).ok().filter(|&n| n <= isize::MAX as usize) {
            Some(len) => Ok(len),
            None => {
                let max = isize::MAX;
                let what = format!("{what} exceeds system's maximum size of {max} bytes");
                Err(self.vm.overflow_error(what))
            }
        }
    }

    fn load_text(&mut self, len: u64) -> Res<()> {
        let vm = self.vm;
        let len = self.length("BINUNICODE", len)?;
        let bytes = self.source.take(vm, len)?;
        let text = match Text::from_wtf8(bytes).map_err(|_| vm.no_memory())? {
            Some(text) => vm.new_text(text)?,
            None => {
                let copy = vm.copied(bytes)?;
                pellucid_types::codecs::utf8::decode(vm, &copy, None, Some("surrogatepass"), true)?.0
            }
        };
        self.push(text)
    }

    fn load_bytes(&mut self, len: u64) -> Res<()> {
        let vm = self.vm;
        let len = self.length("BINBYTES", len)?;
        let bytes = vm.bytes_from(self.source.take(vm, len)?)?;
        self.push(bytes)
    }

    /// A byte string of Python 2.
    fn push_old_string(&mut self, bytes: &[u8]) -> Res<()> {
        let vm = self.vm;
        let bytes = vm.bytes_from(bytes)?;
        if self.setup.encoding == "bytes" {
            return self.push(bytes);
        }
        let (encoding, errors) = (&self.setup.encoding, &self.setup.errors);
        let text = pellucid_types::codecs::decode(vm, &bytes, Some(encoding), Some(errors))?;
        self.push(text)
    }

    fn two_lines(&mut self) -> Res<(Value, Value)> {
        let vm = self.vm;
        let mut line = || {
            let bytes = self.source.line(vm)?;
            if bytes.is_empty() {
                return Err(unpickling(vm, "pickle data was truncated"));
            }
            let copy = vm.new_bytes(bytes.clone())?;
            Ok(pellucid_types::codecs::utf8::decode(vm, &bytes, Some(&copy), None, true)?.0)
        };
        Ok((line()?, line()?))
    }

    // ---- the memo ----

    fn remember(&mut self, index: usize) -> Res<()> {
        let top = self.top()?;
        let old = self.memo.borrow_mut().set(self.vm, index, top);
        old.map(drop)
    }

    fn recall(&mut self, index: i64) -> Res<()> {
        let found = usize::try_from(index).ok().and_then(|i| self.memo.borrow().get(i));
        match found {
            Some(value) => self.push(value),
            None => Err(unpickling(self.vm, &format!("Memo value not found at index {index}"))),
        }
    }

    // ---- containers ----

    fn load_tuple_of(&mut self, count: usize) -> Res<()> {
        let items = self.pop_many(count)?;
        self.push(self.vm.new_tuple(items)?)
    }

    fn load_dict(&mut self) -> Res<()> {
        let vm = self.vm;
        let items = self.pop_mark()?;
        if items.len() % 2 != 0 {
            return Err(unpickling(vm, "odd number of items for DICT"));
        }
        let dict = vm.new_dict()?;
        for pair in items.chunks_exact(2) {
            dict.set(vm, pair[0].clone(), pair[1].clone())?;
        }
        self.push(dict.into_value())
    }

    fn append_to(&mut self, items: Vec<Value>) -> Res<()> {
        let vm = self.vm;
        let target = self.top()?;
        if vm.is_exact(&target, &vm.types().list)
            && let Some(list) = target.downcast::<List>()
        {
            return items.into_iter().try_for_each(|item| list.push(vm, item));
        }
        if items.len() != 1
            && let Some(extend) = vm.get_attr_opt(&target, "extend")?
        {
            return vm.call_values(&extend, &[vm.new_list(items)?]).map(drop);
        }
        let append = vm.get_attr_str(&target, "append")?;
        items.iter().try_for_each(|item| vm.call_values(&append, std::slice::from_ref(item)).map(drop))
    }

    fn set_items(&mut self, items: Vec<Value>) -> Res<()> {
        let vm = self.vm;
        let target = self.top()?;
        if !items.len().is_multiple_of(2) {
            return Err(unpickling(vm, "odd number of items for SETITEMS"));
        }
        if vm.is_exact(&target, &vm.types().dict)
            && let Some(dict) = target.downcast::<Dict>()
        {
            let mut items = items.into_iter();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                dict.set(vm, key, value)?;
            }
            return Ok(());
        }
        items.chunks_exact(2).try_for_each(|pair| vm.set_item(&target, &pair[0], Some(&pair[1])))
    }

    fn load_additems(&mut self) -> Res<()> {
        let vm = self.vm;
        let items = self.pop_mark()?;
        let target = self.top()?;
        if vm.is_instance(&target, &vm.types().set)
            && let Some(set) = target.downcast::<Set>()
        {
            return items.into_iter().try_for_each(|item| set.add(vm, item).map(drop));
        }
        let add = vm.get_attr_str(&target, "add")?;
        items.iter().try_for_each(|item| vm.call_values(&add, std::slice::from_ref(item)).map(drop))
    }

    // ---- objects ----

    fn call_with_tuple(&self, function: &Value, args: &Value) -> Res {
        let values = match args.downcast::<Tuple>() {
            Some(tuple) => tuple.items(),
            None => {
                let got = self.vm.type_name(args);
                return Err(self.vm.type_error(format!("argument must be a tuple, not {got}")));
            }
        };
        self.vm.call_values(function, &values)
    }

    fn instantiate(&self, class: &Value, args: Vec<Value>) -> Res {
        let vm = self.vm;
        let plain = args.is_empty()
            && class.downcast::<Type>().is_some()
            && vm.get_attr_opt(class, "__getinitargs__")?.is_none();
        if plain {
            let new = vm.get_attr_str(class, "__new__")?;
            return vm.call_values(&new, std::slice::from_ref(class));
        }
        vm.call_values(class, &args)
    }

    fn load_newobj(&mut self, extended: bool) -> Res<()> {
        let vm = self.vm;
        let name = if extended { "NEWOBJ_EX" } else { "NEWOBJ" };
        let keywords = if extended { Some(self.pop()?) } else { None };
        let args = self.pop()?;
        let class = self.pop()?;
        let Some(ty) = class.downcast_ref::<Type>() else {
            let got = vm.type_name(&class);
            let what = format!("{name} class argument must be a type, not {got}");
            return Err(unpickling(vm, &what));
        };
        let Some(new) = ty.slots.new.get() else {
            let what = format!("{name} class argument '{}' doesn't have __new__", ty.name());
            return Err(unpickling(vm, &what));
        };
        let Some(mut values) = args.downcast::<Tuple>().map(Tuple::items) else {
            let what = format!("{name} args argument must be a tuple, not {}", vm.type_name(&args));
            return Err(unpickling(vm, &what));
        };
        let mut names = Vec::new();
        if let Some(keywords) = keywords {
            let Some(dict) = keywords.downcast_ref::<Dict>() else {
                let got = vm.type_name(&keywords);
                let what = format!("NEWOBJ_EX kwargs argument must be a dict, not {got}");
                return Err(unpickling(vm, &what));
            };
            for (key, value) in dict.pairs() {
                names.push(key);
                values.push(value);
            }
        }
        let made = new(vm, &class, &CallArgs { values: &values, names: &names })?;
        self.push(made)
    }

    fn load_build(&mut self) -> Res<()> {
        let vm = self.vm;
        let state = self.pop()?;
        let object = self.top()?;
        if let Some(set_state) = vm.get_attr_opt(&object, "__setstate__")? {
            return vm.call_values(&set_state, &[state]).map(drop);
        }
        let (state, slots) = match state.downcast::<Tuple>().map(Tuple::items).as_deref() {
            Some([state, slots]) => (state.clone(), Some(slots.clone())),
            _ => (state.clone(), None),
        };
        if !state.is_none() {
            let Some(dict) = state.downcast_ref::<Dict>() else {
                return Err(unpickling(vm, "state is not a dictionary"));
            };
            self.fill_instance(&object, &dict)?;
        }
        let Some(slots) = slots.filter(|s| !s.is_none()) else { return Ok(()) };
        let Some(dict) = slots.downcast_ref::<Dict>() else {
            return Err(unpickling(vm, "slot state is not a dictionary"));
        };
        dict.pairs().iter().try_for_each(|(name, value)| vm.set_attr(&object, name, Some(value)))
    }

    /// Puts the attributes into the instance's `__dict__`, without making a dict of its attributes where that can be
    /// avoided.
    fn fill_instance(&self, object: &Value, state: &Ref<Dict>) -> Res<()> {
        let vm = self.vm;
        let ty = vm.type_of(object);
        let usual = object.attrs().is_some()
            && ty
                .lookup(vm, &vm.intern_static("__dict__")?)
                .is_some_and(|d| d.downcast::<GetSet>().is_some());
        let pairs = state.pairs();
        let exact = |key: &Value| vm.is_exact(key, &vm.types().str);
        if usual && pairs.iter().all(|(key, _)| exact(key)) {
            return pairs
                .into_iter()
                .try_for_each(|(key, value)| vm.attrs_set(object, &vm.intern_value(&key)?, value).map(drop));
        }
        let dict = vm.get_attr_str(object, "__dict__")?;
        pairs.into_iter().try_for_each(|(key, value)| {
            let key = if exact(&key) { vm.intern_value(&key)? } else { key };
            vm.set_item(&dict, &key, Some(&value))
        })
    }

    // ---- globals ----

    fn find_class(&self, module: &Value, name: &Value) -> Res {
        match &self.setup.finder {
            Some(unpickler) => self.vm.call_attr(unpickler, "find_class", &[module.clone(), name.clone()]),
            None => find_class(self.vm, self.protocol, self.setup.fix_imports, module, name),
        }
    }

    fn load_extension(&mut self, code: i64) -> Res<()> {
        let vm = self.vm;
        let copyreg = vm.import("copyreg")?;
        let table = |name: &str| vm.get_attr_str(&copyreg, name);
        let key = vm.new_int(code)?;
        let cache = table("_extension_cache")?;
        if let Some(cache) = cache.downcast::<Dict>()
            && let Some(found) = cache.get(vm, &key)?
        {
            return self.push(found);
        }
        let registry = table("_inverted_registry")?;
        let pair = match registry.downcast::<Dict>() {
            Some(registry) => registry.get(vm, &key)?,
            None => None,
        };
        let Some(pair) = pair else {
            if code <= 0 {
                return Err(unpickling(vm, "EXT specifies code <= 0"));
            }
            return Err(vm.value_error(format!("unregistered extension code {code}")));
        };
        let names = pair.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
        let [module, name] = names.as_slice() else {
            let what = format!("_inverted_registry[{code}] isn't a 2-tuple of strings");
            return Err(vm.value_error(what));
        };
        if module.downcast::<Str>().is_none() || name.downcast::<Str>().is_none() {
            let what = format!("_inverted_registry[{code}] isn't a 2-tuple of strings");
            return Err(vm.value_error(what));
        }
        let found = self.find_class(module, name)?;
        vm.set_item(&cache, &key, Some(&found))?;
        self.push(found)
    }

    fn load_persistent(&mut self, id: &Value) -> Res<()> {
        let vm = self.vm;
        match self.setup.persistent_load.clone() {
            Some(function) => {
                let found = vm.call_values(&function, std::slice::from_ref(id))?;
                self.push(found)
            }
            None => Err(unpickling(
                vm,
                "A load persistent id instruction was encountered, but no persistent_load function was specified.",
            )),
        }
    }

    // ---- buffers ----

    fn load_next_buffer(&mut self) -> Res<()> {
        let vm = self.vm;
        let Some(buffers) = self.setup.buffers.clone() else {
            let what = "pickle stream refers to out-of-band data but no *buffers* argument was given";
            return Err(unpickling(vm, what));
        };
        match vm.next(&buffers)? {
            Some(buffer) => self.push(buffer),
            None => Err(unpickling(vm, "not enough out-of-band buffers")),
        }
    }

    fn load_readonly_buffer(&mut self) -> Res<()> {
        let vm = self.vm;
        let top = self.top()?;
        let buffer = vm.buffer(&top, pellucid_object::buffer::flags::FULL_RO)?;
        if buffer.layout.readonly {
            return Ok(());
        }
        let view = vm.new_memoryview(buffer)?;
        let view = vm.call_attr(&view, "toreadonly", &[])?;
        let old = self.stack.pop();
        drop(old);
        self.push(view)
    }
}

/// An int from its bytes, lowest first.
fn unsigned(bytes: &[u8]) -> IBig {
    super::save::from_le_bytes(bytes)
}

/// The object that a pickle names. Errors: what importing raises, `AttributeError`.
pub fn find_class(vm: &Interpreter, protocol: i64, fix_imports: bool, module: &Value, name: &Value) -> Res {
    let (mut module, mut name) = (vm.expect_str(module)?, vm.expect_str(name)?);
    if protocol < 3 && fix_imports {
        (module, name) = new_names(vm, module, name)?;
    }
    if module.is_empty() {
        return Err(vm.value_error("Empty module name".to_string()));
    }
    let object = vm.import(&module)?;
    if protocol < 4 || !name.contains('.') {
        return vm.get_attr_str(&object, &name);
    }
    match dotted(vm, &object, &name) {
        Err(raised) if vm.raised_is(vm.exceptions().attribute_error()) => {
            drop(vm.take_raised(raised));
            let (name, module) = (vm.repr_lossy(&vm.new_str(&name)?)?, vm.repr_lossy(&vm.new_str(&module)?)?);
            Err(vm.attribute_error_text(format!("Can't resolve path {name} on module {module}")))
        }
        found => found,
    }
}

/// The names that a global of Python 2 has now.
fn new_names(vm: &Interpreter, module: String, name: String) -> Res<(String, String)> {
    let tables = vm.import("_compat_pickle")?;
    let names = vm.get_attr_str(&tables, "NAME_MAPPING")?;
    let key = vm.new_tuple(vec![vm.new_str(&module)?, vm.new_str(&name)?])?;
    if let Some(names) = names.downcast::<Dict>()
        && let Some(pair) = names.get(vm, &key)?
        && let [module, name] = vm.collect(&pair)?.as_slice()
    {
        return Ok((vm.expect_str(module)?, vm.expect_str(name)?));
    }
    let modules = vm.get_attr_str(&tables, "IMPORT_MAPPING")?;
    if let Some(modules) = modules.downcast::<Dict>()
        && let Some(new) = modules.get(vm, &vm.new_str(&module)?)?
    {
        return Ok((vm.expect_str(&new)?, name));
    }
    Ok((module, name))
}
