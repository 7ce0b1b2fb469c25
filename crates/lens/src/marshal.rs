//! The module `marshal`: objects as bytes.
//!
//! The format is that of `pellucid_bytecode::marshal`, which knows constants only; here are lists, dicts, sets and
//! references between objects as well. Neither writing nor reading recurses: what is open stands on a stack of ours.

use pellucid_bytecode::marshal::MAX_DEPTH;
use pellucid_bytecode::{Code, Const, dis, verify};
use pellucid_interp::code::{CodeObject, code_of, new_code_with, refuse};
use pellucid_object::bytes::Bytes;
use pellucid_object::complex::Complex;
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{
    Args, Dict, FunctionDef, Interpreter, List, ModuleDef, NativeFn, Raised, Res, Set, Str, Text, Tuple,
    Value, constant,
};
use pellucid_types::complex::COMPLEX;
use pellucid_types::slice::{SLICE, Slice, new_slice};
use std::collections::HashMap;
use std::rc::Rc;

const VERSION: i64 = 5;
/// Bit of a type byte: the object gets a reference number.
const FLAG_REF: u8 = 0x80;
/// Bytes asked of a file at once.
const CHUNK: usize = 1 << 16;

fn unmarshallable(vm: &Interpreter) -> Raised {
    vm.value_error("unmarshallable object".to_string())
}

fn bad(vm: &Interpreter, what: &str) -> Raised {
    vm.value_error(format!("bad marshal data ({what})"))
}

// Writing

/// A container that is being written: what is left of it, and the byte that ends it.
struct Open {
    rest: std::vec::IntoIter<Value>,
    end: Option<u8>,
}

struct Writer<'a> {
    vm: &'a Interpreter,
    out: Vec<u8>,
    version: i64,
    allow_code: bool,
    /// By identity: whether the object occurs more than once, and its number once it was written.
    seen: HashMap<u64, (bool, Option<u32>)>,
    numbers: u32,
    /// Objects made for writing, which keep their identity.
    kept: Vec<Value>,
}

impl Writer<'_> {
    /// What is inside an object, in the order in which it is written.
    fn parts(&mut self, value: &Value) -> Res<Vec<Value>> {
        let vm = self.vm;
        let exact = |ty| vm.is_exact(value, ty);
        let types = vm.types();
        if exact(&types.tuple) {
            Ok(value.downcast::<Tuple>().map(Tuple::items).unwrap_or_default())
        } else if exact(&types.list) {
            Ok(value.downcast::<List>().map(List::items).unwrap_or_default())
        } else if exact(&types.dict) {
            let pairs = value.downcast::<Dict>().map(Dict::pairs).unwrap_or_default();
            Ok(pairs.into_iter().flat_map(|(key, value)| [key, value]).collect())
        } else if exact(&types.set) || exact(&types.frozenset) {
            self.set_items(value)
        } else if let Some(code) = code_of(value) {
            self.code_parts(code)
        } else if let Some(slice) = self.slice(value)? {
            Ok(vec![slice.start.clone(), slice.stop.clone(), slice.step.clone()])
        } else {
            Ok(Vec::new())
        }
    }

    fn slice<'v>(&self, value: &'v Value) -> Res<Option<&'v Slice>> {
        match self.version >= 5 && self.vm.is_exact(value, &self.vm.type_for(&SLICE)?) {
            true => Ok(value.downcast::<Slice>()),
            false => Ok(None),
        }
    }

    /// The items of a set ordered by their bytes, so that equal sets are written alike.
    fn set_items(&mut self, value: &Value) -> Res<Vec<Value>> {
        let items = value.downcast::<Set>().map(Set::keys).unwrap_or_default();
        let mut keyed = Vec::with_capacity(items.len());
        for item in items {
            keyed.push((write(self.vm, &item, self.version, self.allow_code)?, item));
        }
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(keyed.into_iter().map(|(_, item)| item).collect())
    }

    fn code_parts(&mut self, object: &CodeObject) -> Res<Vec<Value>> {
        let (vm, code) = (self.vm, &object.code);
        let tuple = |items: &[Value]| vm.new_tuple(items.to_vec());
        let parts = vec![
            vm.bytes_from(&code.code)?,
            tuple(&object.consts)?,
            tuple(&object.names)?,
            tuple(&object.varnames)?,
            tuple(&object.freevars)?,
            tuple(&object.cellvars)?,
            object.filename(),
            object.name.clone(),
            object.qualname.clone(),
            vm.bytes_from(&code.linetable)?,
            vm.bytes_from(&code.positions)?,
        ];
        self.kept.extend(parts.iter().cloned());
        Ok(parts)
    }

    /// Counts how often objects occur: those that occur once need no number.
    fn count(&mut self, root: &Value) -> Res<()> {
        let mut todo = vec![root.clone()];
        while let Some(value) = todo.pop() {
            self.vm.poll()?;
            if !value.is_heap() {
                continue;
            }
            match self.seen.get_mut(&value.bits()) {
                Some(entry) => entry.0 = true,
                None => {
                    self.seen.insert(value.bits(), (false, None));
                    if code_of(&value).is_none() {
                        todo.extend(self.parts(&value)?);
                    } else if let Some(code) = code_of(&value) {
                        todo.extend(code.consts.iter().chain(&code.names).chain(&code.varnames).cloned());
                        todo.extend(code.freevars.iter().chain(&code.cellvars).cloned());
                        todo.extend([code.filename(), code.name.clone(), code.qualname.clone()]);
                    }
                }
            }
        }
        Ok(())
    }

    fn all(&mut self, root: &Value) -> Res<()> {
        if self.version >= 3 {
            self.count(root)?;
        }
        let mut open: Vec<Open> = Vec::new();
        let mut next = Some(root.clone());
        loop {
            if let Some(value) = next.take()
                && let Some(container) = self.start(&value)?
            {
                if open.len() + 1 >= MAX_DEPTH {
                    return Err(self.vm.value_error("object too deeply nested to marshal".to_string()));
                }
                open.push(container);
            }
            let Some(container) = open.last_mut() else { return Ok(()) };
            next = container.rest.next();
            if next.is_none() {
                self.out.extend(container.end);
                open.pop();
            }
        }
    }

    fn size(&mut self, size: usize) -> Res<()> {
        let size = i32::try_from(size).map_err(|_| unmarshallable(self.vm))?;
        self.out.extend(size.to_le_bytes());
        Ok(())
    }

    /// Writes an object, or the head of one with parts, which are returned.
    fn start(&mut self, value: &Value) -> Res<Option<Open>> {
        self.vm.poll()?;
        if let Some(tag) = singleton(value) {
            self.out.push(tag);
            return Ok(None);
        }
        let mut flag = 0;
        if value.is_heap() {
            match self.seen.get_mut(&value.bits()) {
                Some((_, Some(number))) => {
                    self.out.push(b'r');
                    self.out.extend(number.to_le_bytes());
                    return Ok(None);
                }
                Some((true, number)) => {
                    *number = Some(self.numbers);
                    self.numbers += 1;
                    flag = FLAG_REF;
                }
                _ => {}
            }
        }
        let at = self.out.len();
        let open = self.head(value)?;
        if let Some(tag) = self.out.get_mut(at) {
            *tag |= flag;
        }
        Ok(open)
    }

    fn head(&mut self, value: &Value) -> Res<Option<Open>> {
        let vm = self.vm;
        let types = vm.types();
        let exact = |ty| vm.is_exact(value, ty);
        if exact(&types.int) {
            return self.int(value).map(|()| None);
        }
        if let Some(float) = value.as_float().filter(|_| exact(&types.float)) {
            return self.floats(b"gf", &[float]).map(|()| None);
        }
        if let Some(text) = value.downcast::<Str>().filter(|_| exact(&types.str)) {
            return self.text(text).map(|()| None);
        }
        if let Some(bytes) = value.downcast::<Bytes>().filter(|_| exact(&types.bytes)) {
            return self.bytes(bytes.as_slice()).map(|()| None);
        }
        if let Some(complex) = value.downcast::<Complex>()
            && vm.is_exact(value, &vm.type_for(&COMPLEX)?)
        {
            return self.floats(b"yx", &[complex.re, complex.im]).map(|()| None);
        }
        if code_of(value).is_some() && !self.allow_code {
            return Err(vm.value_error("marshalling code objects is disallowed".to_string()));
        }
        let parts = self.parts(value)?;
        let mut end = None;
        if exact(&types.tuple) {
            match u8::try_from(parts.len()) {
                Ok(size) if self.version >= 4 => self.out.extend([b')', size]),
                _ => {
                    self.out.push(b'(');
                    self.size(parts.len())?;
                }
            }
        } else if exact(&types.list) || exact(&types.set) || exact(&types.frozenset) {
            self.out.push(match value {
                _ if exact(&types.list) => b'[',
                _ if exact(&types.set) => b'<',
                _ => b'>',
            });
            self.size(parts.len())?;
        } else if exact(&types.dict) {
            self.out.push(b'{');
            end = Some(b'0');
        } else if let Some(code) = code_of(value) {
            self.out.push(b'c');
            let c = &code.code;
            for number in
                [c.argcount, c.posonlyargcount, c.kwonlyargcount, c.stacksize, c.flags, c.firstlineno]
            {
                self.out.extend(number.to_le_bytes());
            }
        } else if self.slice(value)?.is_some() {
            self.out.push(b':');
        } else if vm.has_buffer(value) {
            let bytes = vm.bytes_like(value)?.to_vec(vm)?;
            return self.bytes(&bytes).map(|()| None);
        } else {
            return Err(unmarshallable(vm));
        }
        Ok(Some(Open { rest: parts.into_iter(), end }))
    }

    fn int(&mut self, value: &Value) -> Res<()> {
        let int = match value.as_int() {
            Some(IntRef::Small(n)) => match i32::try_from(n) {
                Ok(small) => {
                    self.out.push(b'i');
                    self.out.extend(small.to_le_bytes());
                    return Ok(());
                }
                Err(_) => IBig::from(n),
            },
            Some(big) => big.to_big(),
            None => return Err(unmarshallable(self.vm)),
        };
        let negative = int < IBig::from(0);
        let (_, size) = int.into_parts();
        // Digits of 15 bits.
        let bytes = size.to_le_bytes();
        let (mut held, mut bits, mut digits) = (0u32, 0u32, Vec::new());
        for byte in bytes {
            held |= u32::from(byte) << bits;
            bits += 8;
            if bits >= 15 {
                digits.push((held & 0x7fff) as u16);
                held >>= 15;
                bits -= 15;
            }
        }
        digits.push(held as u16);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        self.out.push(b'l');
        let count = i32::try_from(digits.len()).map_err(|_| unmarshallable(self.vm))?;
        self.out.extend(if negative { -count } else { count }.to_le_bytes());
        digits.iter().for_each(|digit| self.out.extend(digit.to_le_bytes()));
        Ok(())
    }

    /// Numbers as eight bytes or, in old versions, as text.
    fn floats(&mut self, tags: &[u8; 2], numbers: &[f64]) -> Res<()> {
        let binary = self.version > 1;
        self.out.push(if binary { tags[0] } else { tags[1] });
        for &number in numbers {
            if binary {
                self.out.extend(number.to_le_bytes());
            } else {
                let text = dis::repr(&Const::Float(number));
                self.out.push(text.len() as u8);
                self.out.extend(text.as_bytes());
            }
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Res<()> {
        self.out.push(b's');
        self.size(bytes.len())?;
        self.out.extend(bytes);
        Ok(())
    }

    fn text(&mut self, text: &Str) -> Res<()> {
        let bytes = text.text.to_wtf8().map_err(|_| self.vm.no_memory())?;
        let interned = text.interned.get();
        if self.version >= 4 && bytes.is_ascii() {
            if let Ok(short) = u8::try_from(bytes.len()) {
                self.out.extend([if interned { b'Z' } else { b'z' }, short]);
            } else {
                self.out.push(if interned { b'A' } else { b'a' });
                self.size(bytes.len())?;
            }
        } else {
            self.out.push(if interned && self.version >= 3 { b't' } else { b'u' });
            self.size(bytes.len())?;
        }
        self.out.extend(bytes);
        Ok(())
    }
}

fn singleton(value: &Value) -> Option<u8> {
    Some(match value {
        v if v.is_none() => b'N',
        v if v.is_bool() => {
            if v.is_true() {
                b'T'
            } else {
                b'F'
            }
        }
        v if v.is_ellipsis() => b'.',
        _ => return None,
    })
}

fn write(vm: &Interpreter, value: &Value, version: i64, allow_code: bool) -> Res<Vec<u8>> {
    if value.is(vm.exceptions().stop_iteration().value()) {
        return Ok(vec![b'S']);
    }
    let mut writer = Writer {
        vm,
        out: Vec::new(),
        version,
        allow_code,
        seen: HashMap::new(),
        numbers: 0,
        kept: Vec::new(),
    };
    writer.all(value)?;
    Ok(writer.out)
}

// Reading

/// Where bytes come from: all are there, or a file gives them.
struct Input<'a> {
    bytes: Vec<u8>,
    at: usize,
    file: Option<&'a Value>,
}

enum Kind {
    Tuple,
    List(Value),
    Set(Value),
    FrozenSet,
    Dict(Value),
    Slice,
    Code([u32; 6]),
}

struct Container {
    kind: Kind,
    items: Vec<Value>,
    /// How many items; a dict ends by itself.
    count: Option<usize>,
    reference: Option<usize>,
}

struct Reader<'a> {
    vm: &'a Interpreter,
    input: Input<'a>,
    refs: Vec<Option<Value>>,
    allow_code: bool,
}

enum Started {
    Value(Value),
    Container(Container),
    /// The mark for "no object".
    Null,
}

impl Reader<'_> {
    fn take(&mut self, size: usize) -> Res<&[u8]> {
        self.fill(size)?;
        let input = &mut self.input;
        let start = input.at;
        match input.bytes.get(start..start.saturating_add(size)) {
            Some(taken) => {
                input.at += size;
                Ok(taken)
            }
            None => Err(self.vm.eof_error("marshal data too short".to_string())),
        }
    }

    /// Asks the file for what is not there yet.
    fn fill(&mut self, size: usize) -> Res<()> {
        let Some(file) = self.input.file else { return Ok(()) };
        let vm = self.vm;
        while self.input.bytes.len() - self.input.at < size {
            let missing = (size - (self.input.bytes.len() - self.input.at)).min(CHUNK);
            let read = vm.call_method(file, "read", &[vm.new_int(missing as i64)?])?;
            let Some(bytes) = read.downcast::<Bytes>() else {
                let got = vm.type_name(&read);
                return Err(vm.type_error(format!("file.read() returned not bytes but {got}")));
            };
            let bytes = bytes.as_slice();
            if bytes.is_empty() {
                return Err(vm.eof_error("EOF read where data expected".to_string()));
            }
            if bytes.len() > missing {
                let got = bytes.len();
                return Err(vm.value_error(format!(
                    "read() returned too much data: {missing} bytes requested, {got} returned"
                )));
            }
            self.input.bytes.drain(..self.input.at);
            self.input.at = 0;
            self.input.bytes.extend(bytes);
        }
        Ok(())
    }

    fn array<const N: usize>(&mut self) -> Res<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self, message: &str) -> Res<u8> {
        if self.input.file.is_some() {
            self.fill(1)?;
        }
        match self.input.bytes.get(self.input.at) {
            Some(&byte) => {
                self.input.at += 1;
                Ok(byte)
            }
            None => Err(self.vm.eof_error(message.to_string())),
        }
    }

    fn long(&mut self) -> Res<i32> {
        self.array().map(i32::from_le_bytes)
    }

    fn size(&mut self, error: &str) -> Res<usize> {
        let size = self.long()?;
        usize::try_from(size).map_err(|_| bad(self.vm, error))
    }

    fn object(&mut self) -> Res {
        let mut open: Vec<Container> = Vec::new();
        loop {
            self.vm.poll()?;
            if open.len() >= MAX_DEPTH {
                return Err(self.vm.value_error("recursion limit exceeded".to_string()));
            }
            let mut done = match self.start()? {
                Started::Value(value) => value,
                Started::Container(container) if container.count != Some(0) => {
                    open.push(container);
                    continue;
                }
                Started::Container(container) => self.close(container)?,
                Started::Null => match open.pop() {
                    Some(dict @ Container { kind: Kind::Dict(_), .. }) if dict.items.len() % 2 == 0 => {
                        self.close(dict)?
                    }
                    found => {
                        let place = found.map_or("object", |c| c.kind.place());
                        let message = format!("NULL object in marshal data for {place}");
                        return Err(self.vm.type_error(message));
                    }
                },
            };
            loop {
                let Some(mut parent) = open.pop() else { return Ok(done) };
                self.add(&mut parent, done)?;
                if parent.count.is_none_or(|count| parent.items.len() < count) {
                    open.push(parent);
                    break;
                }
                done = self.close(parent)?;
            }
        }
    }

    /// Puts a part where it belongs: containers that can be changed hold it at once, as they may be referred to.
    fn add(&mut self, container: &mut Container, value: Value) -> Res<()> {
        let vm = self.vm;
        match &container.kind {
            Kind::List(list) => {
                if let Some(list) = list.downcast::<List>() {
                    list.push(vm, value)?;
                }
                container.items.push(Value::NONE);
            }
            Kind::Set(set) => {
                if let Some(set) = set.downcast::<Set>() {
                    set.add(vm, value)?;
                }
                container.items.push(Value::NONE);
            }
            Kind::Dict(dict) => {
                if container.items.len().is_multiple_of(2) {
                    container.items = vec![value];
                } else if let (Some(key), Some(dict)) = (container.items.pop(), dict.downcast::<Dict>()) {
                    dict.set(vm, key, value)?;
                }
            }
            _ => container.items.push(value),
        }
        Ok(())
    }

    fn start(&mut self) -> Res<Started> {
        let vm = self.vm;
        let byte = self.byte("EOF read where object expected")?;
        let tag = byte & !FLAG_REF;
        match tag {
            b'r' => {
                let index = self.size("invalid reference")?;
                return match self.refs.get(index) {
                    Some(Some(value)) => Ok(Started::Value(value.clone())),
                    _ => Err(bad(vm, "invalid reference")),
                };
            }
            b'0' => return Ok(Started::Null),
            _ => {}
        }
        let reference = (byte & FLAG_REF != 0).then_some(self.refs.len());
        if reference.is_some() {
            self.refs.push(None);
        }
        let (kind, count) = match tag {
            b'(' => (Kind::Tuple, Some(self.size("tuple size out of range")?)),
            b')' => (Kind::Tuple, Some(usize::from(self.byte("EOF read where not expected")?))),
            b'[' => (Kind::List(vm.new_list(Vec::new())?), Some(self.size("list size out of range")?)),
            b'<' => (Kind::Set(vm.new_set([])?), Some(self.size("set size out of range")?)),
            b'>' => (Kind::FrozenSet, Some(self.size("set size out of range")?)),
            b'{' => (Kind::Dict(vm.new_dict()?.into_value()), None),
            b':' => (Kind::Slice, Some(3)),
            b'c' => {
                if !self.allow_code {
                    return Err(vm.value_error("unmarshalling code objects is disallowed".to_string()));
                }
                let mut numbers = [0; 6];
                for number in &mut numbers {
                    *number = self.long()? as u32;
                }
                (Kind::Code(numbers), Some(11))
            }
            _ => {
                let value = self.leaf(tag)?;
                self.remember(reference, &value);
                return Ok(Started::Value(value));
            }
        };
        if let Kind::List(value) | Kind::Set(value) | Kind::Dict(value) = &kind {
            self.remember(reference, value);
        }
        Ok(Started::Container(Container { kind, items: Vec::new(), count, reference }))
    }

    fn remember(&mut self, reference: Option<usize>, value: &Value) {
        if let Some(slot) = reference.and_then(|index| self.refs.get_mut(index)) {
            *slot = Some(value.clone());
        }
    }

    fn close(&mut self, container: Container) -> Res {
        let vm = self.vm;
        let value = match container.kind {
            Kind::Tuple => vm.new_tuple(container.items)?,
            Kind::FrozenSet => vm.new_frozenset(container.items)?,
            Kind::List(value) | Kind::Set(value) | Kind::Dict(value) => return Ok(value),
            Kind::Slice => match <[Value; 3]>::try_from(container.items) {
                Ok([start, stop, step]) => new_slice(vm, start, stop, step)?,
                Err(_) => return Err(bad(vm, "slice")),
            },
            Kind::Code(numbers) => code(vm, numbers, container.items)?,
        };
        self.remember(container.reference, &value);
        Ok(value)
    }

    fn leaf(&mut self, tag: u8) -> Res {
        let vm = self.vm;
        match tag {
            b'N' => Ok(Value::NONE),
            b'T' => Ok(Value::bool(true)),
            b'F' => Ok(Value::bool(false)),
            b'.' => Ok(Value::ELLIPSIS),
            b'S' => Ok(vm.exceptions().stop_iteration().value().clone()),
            b'i' => vm.new_int(i64::from(self.long()?)),
            b'I' => vm.new_int(i64::from_le_bytes(self.array()?)),
            b'l' => self.big_int(),
            b'f' => vm.new_float(self.float_text()?),
            b'g' => vm.new_float(f64::from_le_bytes(self.array()?)),
            b'x' | b'y' => {
                let mut parts = [0.0; 2];
                for part in &mut parts {
                    *part = if tag == b'x' { self.float_text()? } else { f64::from_le_bytes(self.array()?) };
                }
                vm.alloc(&vm.type_for(&COMPLEX)?, Complex { re: parts[0], im: parts[1] })
            }
            b's' => {
                let size = self.size("bytes object size out of range")?;
                let bytes = self.take(size)?.to_vec();
                vm.new_bytes(bytes)
            }
            b'u' | b't' => {
                let size = self.size("string size out of range")?;
                let bytes = self.take(size)?.to_vec();
                match Text::from_wtf8(&bytes) {
                    Ok(Some(text)) => self.interned(vm.new_text(text)?, tag == b't'),
                    Ok(None) => Err(bad(vm, "invalid UTF-8")),
                    Err(_) => Err(vm.no_memory()),
                }
            }
            b'a' | b'A' | b'z' | b'Z' => {
                let size = match tag {
                    b'a' | b'A' => self.size("string size out of range")?,
                    _ => usize::from(self.byte("EOF read where not expected")?),
                };
                let bytes = self.take(size)?.to_vec();
                let text = vm.made_text(Text::from_latin1(&bytes))?;
                self.interned(text, matches!(tag, b'A' | b'Z'))
            }
            _ => Err(bad(vm, "unknown type code")),
        }
    }

    fn interned(&self, text: Value, intern: bool) -> Res {
        if intern { self.vm.intern_value(&text) } else { Ok(text) }
    }

    fn big_int(&mut self) -> Res {
        let vm = self.vm;
        let count = self.long()?;
        if count == i32::MIN {
            return Err(bad(vm, "long size out of range"));
        }
        let Some(size) = (count.unsigned_abs() as usize).checked_mul(2) else {
            return Err(bad(vm, "long size out of range"));
        };
        let mut data = vec![b'l'];
        data.extend(count.to_le_bytes());
        data.extend(self.take(size)?);
        match pellucid_bytecode::marshal::read(&data) {
            Ok((value, _)) => pellucid_interp::code::constant(vm, &value),
            Err(error) => Err(vm.value_error(error.to_string())),
        }
    }

    fn float_text(&mut self) -> Res<f64> {
        let size = usize::from(self.byte("EOF read where not expected")?);
        let text = String::from_utf8_lossy(self.take(size)?).into_owned();
        text.parse().map_err(|_| bad(self.vm, "could not convert string to float"))
    }
}

impl Kind {
    fn place(&self) -> &'static str {
        match self {
            Kind::Tuple => "tuple",
            Kind::List(_) => "list",
            Kind::Set(_) | Kind::FrozenSet => "set",
            Kind::Dict(_) => "dict",
            Kind::Slice => "slice",
            Kind::Code(_) => "code object",
        }
    }
}

/// A code object of its record. Errors: `TypeError` for wrong fields, `ValueError` for code that must not run.
fn code(vm: &Interpreter, numbers: [u32; 6], fields: Vec<Value>) -> Res {
    let wrong = |what: &str| vm.type_error(format!("bad marshal data ({what} expected in code object)"));
    let bytes = |value: &Value| match value.downcast::<Bytes>() {
        Some(bytes) => Ok(bytes.as_slice().into()),
        None => Err(wrong("bytes")),
    };
    let text = |value: &Value| -> Res<pellucid_bytecode::Wtf8> {
        let text = value.downcast::<Str>().ok_or_else(|| wrong("string"))?;
        let text = text.text.to_wtf8().map_err(|_| vm.no_memory())?;
        pellucid_bytecode::Wtf8::from_bytes(&text).ok_or_else(|| wrong("string"))
    };
    let items = |value: &Value| match value.downcast::<Tuple>() {
        Some(tuple) => Ok(tuple.items()),
        None => Err(wrong("tuple")),
    };
    let names = |value: &Value| items(value)?.iter().map(text).collect::<Res<Box<[_]>>>();
    let [instrs, consts, names_, varnames, freevars, cellvars, filename, name, qualname, lines, positions] =
        &fields[..]
    else {
        return Err(wrong("fields"));
    };
    let [argcount, posonlyargcount, kwonlyargcount, stacksize, flags, firstlineno] = numbers;
    let consts = items(consts)?;
    let code = Code {
        argcount,
        posonlyargcount,
        kwonlyargcount,
        stacksize,
        flags,
        firstlineno,
        code: bytes(instrs)?,
        // The verifier asks how many there are; inner code has passed it already.
        consts: vec![Const::None; consts.len()].into(),
        names: names(names_)?,
        varnames: names(varnames)?,
        freevars: names(freevars)?,
        cellvars: names(cellvars)?,
        filename: text(filename)?,
        name: text(name)?,
        qualname: text(qualname)?,
        linetable: bytes(lines)?,
        positions: bytes(positions)?,
    };
    if let Err(error) = verify::verify_one(&code) {
        return Err(refuse(vm, &error));
    }
    new_code_with(vm, Rc::new(code), consts)
}

// The functions

fn dumps(vm: &Interpreter, args: &Args) -> Res {
    let version = args.int_or(vm, 1, VERSION)?;
    vm.new_bytes(write(vm, args.req(0), version, args.bool_or(vm, 2, true)?)?)
}

fn dump(vm: &Interpreter, args: &Args) -> Res {
    let version = args.int_or(vm, 2, VERSION)?;
    let bytes = vm.new_bytes(write(vm, args.req(0), version, args.bool_or(vm, 3, true)?)?)?;
    vm.call_method(args.req(1), "write", &[bytes])
}

fn loads(vm: &Interpreter, args: &Args) -> Res {
    let bytes = vm.bytes_like(args.req(0))?.to_vec(vm)?;
    let allow_code = args.bool_or(vm, 1, true)?;
    let mut reader = Reader { vm, input: Input { bytes, at: 0, file: None }, refs: Vec::new(), allow_code };
    reader.object()
}

fn load(vm: &Interpreter, args: &Args) -> Res {
    let file = args.req(0);
    // What is not read yet stays in the file: it is asked for no more than is needed.
    let probe = vm.call_method(file, "read", &[vm.new_int(0)?])?;
    if probe.downcast::<Bytes>().is_none() {
        let got = vm.type_name(&probe);
        return Err(vm.type_error(format!("file.read() returned not bytes but {got}")));
    }
    let allow_code = args.bool_or(vm, 1, true)?;
    let input = Input { bytes: Vec::new(), at: 0, file: Some(file) };
    Reader { vm, input, refs: Vec::new(), allow_code }.object()
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "marshal",
    doc: "Values as bytes, in the format of compiled modules.",
    functions: &[
        FunctionDef::new(
            "dump",
            "($module, value, file, version=5, /, *, allow_code=True)",
            "Write the value to a file.",
            NativeFn::Args(dump),
        ),
        FunctionDef::new(
            "load",
            "($module, file, /, *, allow_code=True)",
            "Read one value from a file.",
            NativeFn::Args(load),
        ),
        FunctionDef::new(
            "dumps",
            "($module, value, version=5, /, *, allow_code=True)",
            "Return the bytes that dump() would write.",
            NativeFn::Args(dumps),
        ),
        FunctionDef::new(
            "loads",
            "($module, bytes, /, *, allow_code=True)",
            "Convert bytes to a value; what follows the value is ignored.",
            NativeFn::Args(loads),
        ),
    ],
    types: &[],
    constants: &[constant("version", |vm| vm.new_int(VERSION))],
    init: None,
};
