//! Writing objects.

use super::buffer;
use super::errors::{noted, pickling};
use super::opcodes::*;
use super::output::Output;
use dashu_int::UBig;
use pellucid_object::bytes::{ByteArray, Bytes};
use pellucid_object::int::IBig;
use pellucid_object::native::Builtin;
use pellucid_object::set::Set;
use pellucid_object::words::WordMap;
use pellucid_object::{CallArgs, Dict, Interpreter, List, Res, Str, Tuple, Type, Value};
use pellucid_types::builtins::named as builtin;
use std::cell::RefCell;

/// Objects written so far: by word, their number and the object itself, which must not die meanwhile.
pub type Memo = WordMap<u64, (u32, Value)>;

/// How a pickler was set up.
pub struct Setup {
    pub protocol: i64,
    pub fix_imports: bool,
    pub fast: bool,
    pub buffer_callback: Option<Value>,
    pub persistent_id: Option<Value>,
    pub reducer_override: Option<Value>,
    pub dispatch_table: Option<Value>,
}

/// One run of a pickler.
pub struct Saver<'a> {
    pub vm: &'a Interpreter,
    pub out: Output,
    pub memo: &'a RefCell<Memo>,
    pub setup: Setup,
    pub copyreg: Option<Value>,
    /// Depth of containers being written in fast mode, which has no memo to notice cycles with.
    fast_depth: usize,
    fast_open: Vec<u64>,
}

/// Items written between two `APPENDS` or `SETITEMS`.
const BATCH: usize = 1000;
/// From this depth on fast mode looks for cycles.
const FAST_DEPTH: usize = 50;

impl<'a> Saver<'a> {
    pub fn new(vm: &'a Interpreter, out: Output, memo: &'a RefCell<Memo>, setup: Setup) -> Saver<'a> {
        Saver { vm, out, memo, setup, copyreg: None, fast_depth: 0, fast_open: Vec::new() }
    }

    /// Writes a whole pickle of one object.
    pub fn dump(&mut self, object: &Value) -> Res<()> {
        if self.protocol() >= 2 {
            self.put(&[PROTO, self.protocol() as u8])?;
            self.out.framing = self.protocol() >= 4;
        }
        self.save(object, true)?;
        self.op(STOP)?;
        self.out.end_frame();
        self.out.framing = false;
        self.out.flush(self.vm)
    }

    #[inline]
    pub fn protocol(&self) -> i64 {
        self.setup.protocol
    }
    pub fn binary(&self) -> bool {
        self.setup.protocol >= 1
    }
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> Res<()> {
        self.out.put(self.vm, bytes)
    }
    #[inline]
    pub fn op(&mut self, op: u8) -> Res<()> {
        self.out.op(self.vm, op)
    }
    fn line(&mut self, op: u8, text: &str) -> Res<()> {
        self.op(op)?;
        self.put(text.as_bytes())?;
        self.put(b"\n")
    }

    // ---- the memo ----

    fn memo_index(&self, object: &Value) -> Option<u32> {
        self.memo.borrow().get(&object.bits()).map(|(index, _)| *index)
    }

    /// Writes the opcode that fetches an object written before.
    fn put_get(&mut self, index: u32) -> Res<()> {
        if !self.binary() {
            return self.line(GET, &index.to_string());
        }
        match u8::try_from(index) {
            Ok(small) => self.put(&[BINGET, small]),
            Err(_) => {
                self.op(LONG_BINGET)?;
                self.put(&index.to_le_bytes())
            }
        }
    }

    /// Remembers the object on top of the reader's stack.
    pub fn memoize(&mut self, object: &Value) -> Res<()> {
        if self.setup.fast {
            return Ok(());
        }
        let index = {
            let mut memo = self.memo.borrow_mut();
            let index = memo.len() as u32;
            memo.insert(object.bits(), (index, object.clone()));
            index
        };
        if self.protocol() >= 4 {
            return self.op(MEMOIZE);
        }
        if !self.binary() {
            return self.line(PUT, &index.to_string());
        }
        match u8::try_from(index) {
            Ok(small) => self.put(&[BINPUT, small]),
            Err(_) => {
                self.op(LONG_BINPUT)?;
                self.put(&index.to_le_bytes())
            }
        }
    }

    // ---- one object ----

    /// Writes an object; `persistent` asks `persistent_id` first.
    pub fn save(&mut self, object: &Value, persistent: bool) -> Res<()> {
        let vm = self.vm;
        self.out.boundary(vm)?;
        if persistent && let Some(function) = self.setup.persistent_id.clone() {
            let id = vm.call_values(&function, std::slice::from_ref(object))?;
            if !id.is_none() {
                return self.save_persistent(&id);
            }
        }
        if self.save_atom(object)? {
            return Ok(());
        }
        if let Some(index) = self.memo_index(object) {
            return self.put_get(index);
        }
        let types = vm.types();
        let ty = vm.type_of(object);
        if ty.value().is(types.str.value()) {
            return self.save_str(object);
        }
        if ty.value().is(types.bytes.value()) {
            return self.save_bytes(object);
        }
        vm.nested(" while pickling an object", || self.save_composite(object, &ty))
    }

    /// What has no identity to remember.
    fn save_atom(&mut self, object: &Value) -> Res<bool> {
        let vm = self.vm;
        if let Some(i) = object.as_small_int() {
            self.save_small_int(i)?;
        } else if object.is_none() {
            self.op(NONE)?;
        } else if object.is_bool() {
            match (self.protocol() >= 2, object.is_true()) {
                (true, true) => self.op(NEWTRUE)?,
                (true, false) => self.op(NEWFALSE)?,
                (false, true) => self.put(b"I01\n")?,
                (false, false) => self.put(b"I00\n")?,
            }
        } else if vm.is_exact(object, &vm.types().float) {
            self.save_float(object)?;
        } else if vm.is_exact(object, &vm.types().int) {
            self.save_big_int(object)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn save_small_int(&mut self, i: i64) -> Res<()> {
        let Ok(short) = i32::try_from(i) else {
            return self.save_big(&IBig::from(i));
        };
        if !self.binary() {
            return self.line(INT, &short.to_string());
        }
        match short {
            0..=0xff => self.put(&[BININT1, short as u8]),
            0x100..=0xffff => self.put(&[BININT2, short as u8, (short >> 8) as u8]),
            _ => {
                self.op(BININT)?;
                self.put(&short.to_le_bytes())
            }
        }
    }

    fn save_big_int(&mut self, object: &Value) -> Res<()> {
        match object.as_int() {
            Some(int) => self.save_big(&int.to_big()),
            None => Err(self.vm.bug("an int is an int")),
        }
    }

    fn save_big(&mut self, big: &IBig) -> Res<()> {
        if self.protocol() < 2 {
            let text = self.vm.repr_lossy(&self.vm.new_big(big.clone())?)?;
            return self.line(LONG, &format!("{text}L"));
        }
        let bytes = signed_bytes(big);
        match u8::try_from(bytes.len()) {
            Ok(short) => self.put(&[LONG1, short])?,
            Err(_) => match i32::try_from(bytes.len()) {
                Ok(len) => {
                    self.op(LONG4)?;
                    self.put(&len.to_le_bytes())?;
                }
                Err(_) => return Err(self.vm.overflow_error("int too large to pickle".to_string())),
            },
        }
        self.put(&bytes)
    }

    fn save_float(&mut self, object: &Value) -> Res<()> {
        if !self.binary() {
            let text = self.vm.repr_lossy(object)?;
            return self.line(FLOAT, &text);
        }
        self.op(BINFLOAT)?;
        self.put(&object.as_float().unwrap_or(0.0).to_be_bytes())
    }

    fn save_persistent(&mut self, id: &Value) -> Res<()> {
        if self.binary() {
            self.save(id, false)?;
            return self.op(BINPERSID);
        }
        let text = self.vm.str(id)?;
        match text.downcast::<Str>().and_then(|s| s.text.as_ascii()) {
            Some(ascii) => self.line(PERSID, ascii),
            None => Err(pickling(self.vm, "persistent IDs in protocol 0 must be ASCII strings")),
        }
    }

    fn save_str(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let Some(s) = object.downcast::<Str>() else { return Err(vm.bug("a str is a str")) };
        if !self.binary() {
            let mut escaped = Vec::with_capacity(s.text.len());
            for point in s.text.code_points() {
                match point {
                    0 | 0x0a | 0x0d | 0x1a | 0x5c => escaped.extend(format!("\\u{point:04x}").into_bytes()),
                    0x01..=0xff => escaped.push(point as u8),
                    0x100..=0xffff => escaped.extend(format!("\\u{point:04x}").into_bytes()),
                    _ => escaped.extend(format!("\\U{point:08x}").into_bytes()),
                }
            }
            self.op(UNICODE)?;
            self.put(&escaped)?;
            self.put(b"\n")?;
            return self.memoize(object);
        }
        let owned;
        let data: &[u8] = match s.text.as_ascii() {
            Some(ascii) => ascii.as_bytes(),
            None => {
                owned = s.text.to_wtf8().map_err(|_| vm.no_memory())?;
                &owned
            }
        };
        let len = data.len();
        if len <= 0xff && self.protocol() >= 4 {
            self.put(&[SHORT_BINUNICODE, len as u8])?;
            self.put(data)?;
        } else if let Ok(len) = u32::try_from(len) {
            self.out.put_large(vm, &header(BINUNICODE, &len.to_le_bytes()), data, None)?;
        } else if self.protocol() >= 4 {
            self.out.put_large(vm, &header(BINUNICODE8, &(len as u64).to_le_bytes()), data, None)?;
        } else {
            let what = "serializing a string larger than 4 GiB requires pickle protocol 4 or higher";
            return Err(vm.overflow_error(what.to_string()));
        }
        self.memoize(object)
    }

    /// The opcode and the bytes, without remembering the object.
    fn put_bytes(&mut self, data: &[u8], object: Option<&Value>) -> Res<()> {
        let (vm, len) = (self.vm, data.len());
        if len <= 0xff {
            self.put(&[SHORT_BINBYTES, len as u8])?;
            return self.put(data);
        }
        if let Ok(len) = u32::try_from(len) {
            return self.out.put_large(vm, &header(BINBYTES, &len.to_le_bytes()), data, object);
        }
        if self.protocol() >= 4 {
            return self.out.put_large(vm, &header(BINBYTES8, &(len as u64).to_le_bytes()), data, object);
        }
        let what = "serializing a bytes object larger than 4 GiB requires pickle protocol 4 or higher";
        Err(vm.overflow_error(what.to_string()))
    }

    fn save_bytes(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let Some(bytes) = object.downcast::<Bytes>() else { return Err(vm.bug("bytes are bytes")) };
        if self.protocol() >= 3 {
            self.put_bytes(bytes.as_slice(), Some(object))?;
            return self.memoize(object);
        }
        // Older protocols have no opcode for them: an encoded str stands for bytes.
        let (function, args) = if bytes.as_slice().is_empty() {
            (vm.types().bytes.value().clone(), Vec::new())
        } else {
            let encode = vm.get_attr_str(&vm.import("codecs")?, "encode")?;
            let text = pellucid_object::Text::from_latin1(bytes.as_slice()).map_err(|_| vm.no_memory())?;
            (encode, vec![vm.new_text(text)?, vm.new_str("latin1")?])
        };
        let reduced = vm.new_tuple(vec![function, vm.new_tuple(args)?])?;
        self.save_reduced(&reduced, Some(object))
    }

    fn put_bytearray(&mut self, data: &[u8]) -> Res<()> {
        let len = data.len() as u64;
        self.out.put_large(self.vm, &header(BYTEARRAY8, &len.to_le_bytes()), data, None)
    }

    fn save_bytearray(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let Some(array) = object.downcast::<ByteArray>() else { return Err(vm.bug("a bytearray is one")) };
        let data = vm.copied(&array.borrow())?;
        if self.protocol() >= 5 {
            self.put_bytearray(&data)?;
            return self.memoize(object);
        }
        let args = if data.is_empty() { Vec::new() } else { vec![vm.new_bytes(data)?] };
        let reduced = vm.new_tuple(vec![vm.types().bytearray.value().clone(), vm.new_tuple(args)?])?;
        self.save_reduced(&reduced, Some(object))
    }

    fn save_pickle_buffer(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        if self.protocol() < 5 {
            return Err(pickling(vm, "PickleBuffer can only be pickled with protocol >= 5"));
        }
        let view = buffer::view(vm, object)?;
        if !view.layout.is_c_contiguous() && !view.layout.is_f_contiguous() {
            let what = "PickleBuffer can not be pickled when pointing to a non-contiguous buffer";
            return Err(pickling(vm, what));
        }
        let in_band = match self.setup.buffer_callback.clone() {
            None => true,
            Some(callback) => {
                let result = vm.call_values(&callback, std::slice::from_ref(object))?;
                vm.truthy(&result)?
            }
        };
        if !in_band {
            self.op(NEXT_BUFFER)?;
            return if view.layout.readonly { self.op(READONLY_BUFFER) } else { Ok(()) };
        }
        let data = view.to_vec(vm, !view.layout.is_c_contiguous())?;
        if view.layout.readonly {
            self.put_bytes(&data, None)?
        } else {
            self.put_bytearray(&data)?
        }
        self.memoize(object)
    }

    // ---- containers ----

    fn save_composite(&mut self, object: &Value, ty: &pellucid_object::Ref<Type>) -> Res<()> {
        let vm = self.vm;
        let types = vm.types();
        let is = |known: &pellucid_object::Ref<Type>| ty.value().is(known.value());
        if is(&types.dict) {
            return self.guarded(object, Self::save_dict);
        }
        if is(&types.list) {
            return self.guarded(object, Self::save_list);
        }
        if is(&types.tuple) {
            return self.save_tuple(object);
        }
        if is(&types.set) {
            return self.guarded(object, Self::save_set);
        }
        if is(&types.frozenset) {
            return self.guarded(object, Self::save_frozenset);
        }
        if is(&types.bytearray) {
            return self.save_bytearray(object);
        }
        if is(&vm.type_for(&buffer::PICKLE_BUFFER)?) {
            return self.save_pickle_buffer(object);
        }
        let reduced = match self.setup.reducer_override.clone() {
            Some(reducer) => vm.call_values(&reducer, std::slice::from_ref(object))?,
            None => Value::NOT_IMPLEMENTED,
        };
        let reduced = if reduced.is_not_implemented() {
            if is(&types.type_) {
                return self.save_type(object);
            }
            if &*ty.name() == "function" && !ty.flags.get().contains(pellucid_object::TypeFlags::MUTABLE) {
                return self.save_global(object, None);
            }
            match self.reduce(object, ty)? {
                Some(reduced) => reduced,
                None => return self.save_global(object, None),
            }
        } else {
            reduced
        };
        if reduced.downcast::<Str>().is_some() {
            return self.save_global(object, Some(&reduced));
        }
        let done = self.save_reduced(&reduced, Some(object));
        noted(vm, done, || format!("when serializing {} object", vm.full_type_name(object)))
    }

    /// What the object says of how to make it again; `None`: it is a class.
    fn reduce(&mut self, object: &Value, ty: &pellucid_object::Ref<Type>) -> Res<Option<Value>> {
        let vm = self.vm;
        let table = match self.setup.dispatch_table.clone() {
            Some(table) => Some(table),
            None => Some(vm.get_attr_str(&self.copyreg()?, "dispatch_table")?),
        };
        if let Some(table) = table
            && let Some(function) = look_up(vm, &table, ty.value())?
        {
            return vm.call_values(&function, std::slice::from_ref(object)).map(Some);
        }
        if ty.is_subtype_of(&vm.types().type_) {
            return Ok(None);
        }
        if let Some(method) = vm.get_attr_opt(object, "__reduce_ex__")? {
            return vm.call_values(&method, &[vm.new_int(self.protocol())?]).map(Some);
        }
        match vm.get_attr_opt(object, "__reduce__")? {
            Some(method) => vm.call_values(&method, &[]).map(Some),
            None => {
                let name = vm.full_type_name(object);
                Err(pickling(vm, &format!("Can't pickle {name} object")))
            }
        }
    }

    pub fn copyreg(&mut self) -> Res {
        if let Some(known) = &self.copyreg {
            return Ok(known.clone());
        }
        let module = self.vm.import("copyreg")?;
        self.copyreg = Some(module.clone());
        Ok(module)
    }

    /// In fast mode a container that meets itself would be written for ever.
    fn guarded(&mut self, object: &Value, save: fn(&mut Self, &Value) -> Res<()>) -> Res<()> {
        if !self.setup.fast {
            return save(self, object);
        }
        self.fast_depth += 1;
        if self.fast_depth >= FAST_DEPTH {
            if self.fast_open.contains(&object.bits()) {
                let vm = self.vm;
                let (name, id) = (vm.full_type_name(object), object.bits());
                self.fast_depth -= 1;
                let what =
                    format!("fast mode: can't pickle cyclic objects including object type {name} at {id:#x}");
                return Err(vm.value_error(what));
            }
            self.fast_open.push(object.bits());
        }
        let done = save(self, object);
        if self.fast_depth >= FAST_DEPTH {
            self.fast_open.pop();
        }
        self.fast_depth -= 1;
        done
    }

    fn save_tuple(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let items = object.downcast::<Tuple>().map(Tuple::items).unwrap_or_default();
        if items.is_empty() {
            return if self.binary() { self.op(EMPTY_TUPLE) } else { self.put(&[MARK, TUPLE]) };
        }
        let short = items.len() <= 3 && self.protocol() >= 2;
        if !short {
            self.op(MARK)?;
        }
        for (i, item) in items.iter().enumerate() {
            let done = self.save(item, true);
            noted(vm, done, || format!("when serializing {} item {i}", vm.full_type_name(object)))?;
        }
        // Writing the items may have written the tuple itself: then it is fetched, and the items are dropped.
        if let Some(index) = self.memo_index(object) {
            if !short && self.binary() {
                self.op(POP_MARK)?;
            } else {
                let pops = items.len() + usize::from(!short);
                self.put(&vec![POP; pops])?;
            }
            return self.put_get(index);
        }
        match (short, items.len()) {
            (true, 1) => self.op(TUPLE1)?,
            (true, 2) => self.op(TUPLE2)?,
            (true, _) => self.op(TUPLE3)?,
            _ => self.op(TUPLE)?,
        }
        self.memoize(object)
    }

    fn save_list(&mut self, object: &Value) -> Res<()> {
        if self.binary() {
            self.op(EMPTY_LIST)?
        } else {
            self.put(&[MARK, LIST])?
        }
        self.memoize(object)?;
        let Some(list) = object.downcast_ref::<List>() else { return Err(self.vm.bug("a list is a list")) };
        // Read item by item: what is written may change the list.
        let mut next = 0;
        self.batched_items(object, &mut || {
            let item = list.get(next);
            next += 1;
            Ok(item)
        })
    }

    fn save_item(&mut self, object: &Value, item: &Value, i: usize) -> Res<()> {
        let done = self.save(item, true);
        noted(self.vm, done, || format!("when serializing {} item {i}", self.vm.full_type_name(object)))
    }

    /// Items of a list, in batches.
    fn batched_items(&mut self, object: &Value, next: &mut dyn FnMut() -> Res<Option<Value>>) -> Res<()> {
        let mut i = 0;
        if !self.binary() {
            while let Some(item) = next()? {
                self.save_item(object, &item, i)?;
                self.op(APPEND)?;
                i += 1;
            }
            return Ok(());
        }
        let mut ahead = next()?;
        while let Some(first) = ahead.take() {
            ahead = next()?;
            if ahead.is_none() {
                self.save_item(object, &first, i)?;
                return self.op(APPEND);
            }
            self.op(MARK)?;
            self.save_item(object, &first, i)?;
            i += 1;
            let mut count = 1;
            while let Some(item) = ahead.take() {
                self.save_item(object, &item, i)?;
                (i, count) = (i + 1, count + 1);
                ahead = next()?;
                if count == BATCH {
                    break;
                }
            }
            self.op(APPENDS)?;
        }
        Ok(())
    }

    fn save_dict(&mut self, object: &Value) -> Res<()> {
        if self.binary() {
            self.op(EMPTY_DICT)?
        } else {
            self.put(&[MARK, DICT])?
        }
        self.memoize(object)?;
        let vm = self.vm;
        let Some(dict) = object.downcast_ref::<Dict>() else { return Err(vm.bug("a dict is a dict")) };
        let (mut place, len) = (0, dict.len());
        self.batched_pairs(object, &mut || {
            if dict.len() != len {
                return Err(vm.runtime_error("dictionary changed size during iteration".to_string()));
            }
            Ok(dict.entry_from(place).map(|(i, key, value)| {
                place = i + 1;
                (key, value)
            }))
        })
    }

    fn save_pair(&mut self, object: &Value, key: &Value, value: &Value) -> Res<()> {
        let vm = self.vm;
        self.save(key, true)?;
        let done = self.save(value, true);
        match done {
            Ok(()) => Ok(()),
            Err(raised) => {
                let exception = vm.take_raised(raised);
                let shown = vm.repr_lossy(key);
                let raised = vm.raise_as_is(exception);
                match shown {
                    Ok(key) => noted(vm, Err(raised), || {
                        format!("when serializing {} item {key}", vm.full_type_name(object))
                    }),
                    Err(_) => Err(raised),
                }
            }
        }
    }

    /// Pairs of a dict, in batches.
    fn batched_pairs(
        &mut self,
        object: &Value,
        next: &mut dyn FnMut() -> Res<Option<(Value, Value)>>,
    ) -> Res<()> {
        if !self.binary() {
            while let Some((key, value)) = next()? {
                self.save_pair(object, &key, &value)?;
                self.op(SETITEM)?;
            }
            return Ok(());
        }
        let mut ahead = next()?;
        while let Some((key, value)) = ahead.take() {
            ahead = next()?;
            if ahead.is_none() {
                self.save_pair(object, &key, &value)?;
                return self.op(SETITEM);
            }
            self.op(MARK)?;
            self.save_pair(object, &key, &value)?;
            let mut count = 1;
            while let Some((key, value)) = ahead.take() {
                self.save_pair(object, &key, &value)?;
                count += 1;
                ahead = next()?;
                if count == BATCH {
                    break;
                }
            }
            self.op(SETITEMS)?;
        }
        Ok(())
    }

    fn save_set(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let keys = object.downcast::<Set>().map(Set::keys).unwrap_or_default();
        if self.protocol() < 4 {
            return self.save_set_by_call(vm.types().set.value().clone(), keys, object);
        }
        self.op(EMPTY_SET)?;
        self.memoize(object)?;
        for batch in keys.chunks(BATCH) {
            self.op(MARK)?;
            for key in batch {
                let done = self.save(key, true);
                noted(vm, done, || format!("when serializing {} element", vm.full_type_name(object)))?;
                if object.downcast::<Set>().map(Set::len) != Some(keys.len()) {
                    return Err(vm.runtime_error("set changed size during iteration".to_string()));
                }
            }
            self.op(ADDITEMS)?;
        }
        Ok(())
    }

    fn save_set_by_call(&mut self, function: Value, keys: Vec<Value>, object: &Value) -> Res<()> {
        let vm = self.vm;
        let args = vm.new_tuple(vec![vm.new_list(keys)?])?;
        let reduced = vm.new_tuple(vec![function, args])?;
        self.save_reduced(&reduced, Some(object))
    }

    fn save_frozenset(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let keys = object.downcast::<Set>().map(Set::keys).unwrap_or_default();
        if self.protocol() < 4 {
            return self.save_set_by_call(vm.types().frozenset.value().clone(), keys, object);
        }
        self.op(MARK)?;
        for key in &keys {
            let done = self.save(key, true);
            noted(vm, done, || format!("when serializing {} element", vm.full_type_name(object)))?;
        }
        if let Some(index) = self.memo_index(object) {
            self.op(POP_MARK)?;
            return self.put_get(index);
        }
        self.op(FROZENSET)?;
        self.memoize(object)
    }

    fn save_type(&mut self, object: &Value) -> Res<()> {
        let vm = self.vm;
        let types = vm.types();
        let instance = if object.is(types.none_type.value()) {
            Value::NONE
        } else if object.is(types.not_implemented_type.value()) {
            Value::NOT_IMPLEMENTED
        } else if object.is(types.ellipsis_type.value()) {
            Value::ELLIPSIS
        } else {
            return self.save_global(object, None);
        };
        let reduced = vm.new_tuple(vec![types.type_.value().clone(), vm.new_tuple(vec![instance])?])?;
        self.save_reduced(&reduced, Some(object))
    }

    // ---- what `__reduce__` gives ----

    /// Writes a tuple of function, arguments, state, items, pairs and state setter.
    pub fn save_reduced(&mut self, reduced: &Value, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let Some(parts) = reduced.downcast::<Tuple>().map(Tuple::items) else {
            let got = vm.full_type_name(reduced);
            return Err(pickling(vm, &format!("__reduce__ must return a string or tuple, not {got}")));
        };
        if !(2..=6).contains(&parts.len()) {
            let what = "tuple returned by __reduce__ must contain 2 through 6 elements";
            return Err(pickling(vm, what));
        }
        let part = |i: usize| parts.get(i).filter(|v| !v.is_none());
        let (function, args) = (&parts[0], &parts[1]);
        if !crate::support::is_callable(vm, function) {
            let got = vm.full_type_name(function);
            let what = format!("first item of the tuple returned by __reduce__ must be callable, not {got}");
            return Err(pickling(vm, &what));
        }
        if args.downcast::<Tuple>().is_none() {
            let got = vm.full_type_name(args);
            let what = format!("second item of the tuple returned by __reduce__ must be a tuple, not {got}");
            return Err(pickling(vm, &what));
        }
        for (i, what) in [(3, "fourth"), (4, "fifth")] {
            if let Some(iterator) = part(i)
                && vm.type_of_ref(iterator).slots.next.get().is_none()
            {
                let got = vm.full_type_name(iterator);
                let what =
                    format!("{what} item of the tuple returned by __reduce__ must be an iterator, not {got}");
                return Err(pickling(vm, &what));
            }
        }
        if let Some(setter) = part(5)
            && !crate::support::is_callable(vm, setter)
        {
            let got = vm.full_type_name(setter);
            let what = format!("sixth item of the tuple returned by __reduce__ must be callable, not {got}");
            return Err(pickling(vm, &what));
        }
        self.save_construction(function, args, object)?;
        if let Some(object) = object {
            match self.memo_index(object) {
                // The arguments contained the object itself: what was written is dropped again.
                Some(index) => {
                    self.op(POP)?;
                    self.put_get(index)?;
                }
                None => self.memoize(object)?,
            }
        }
        let shown = object.unwrap_or(Value::none_ref());
        if let Some(iterator) = part(3) {
            self.batched_items(shown, &mut || vm.next(iterator))?;
        }
        if let Some(iterator) = part(4) {
            self.batched_pairs(shown, &mut || match vm.next(iterator)? {
                None => Ok(None),
                Some(pair) => match pair.downcast::<Tuple>().map(Tuple::items).as_deref() {
                    Some([key, value]) => Ok(Some((key.clone(), value.clone()))),
                    _ => Err(vm.type_error("dict items iterator must return 2-tuples".to_string())),
                },
            })?;
        }
        match part(2) {
            Some(state) => self.save_state(state, part(5), shown),
            None => Ok(()),
        }
    }

    fn save_state(&mut self, state: &Value, setter: Option<&Value>, object: &Value) -> Res<()> {
        let vm = self.vm;
        let Some(setter) = setter else {
            let done = self.save(state, true);
            noted(vm, done, || format!("when serializing {} state", vm.full_type_name(object)))?;
            return self.op(BUILD);
        };
        let done = self.save(setter, true);
        noted(vm, done, || format!("when serializing {} state setter", vm.full_type_name(object)))?;
        self.save(object, true)?;
        let done = self.save(state, true);
        noted(vm, done, || format!("when serializing {} state", vm.full_type_name(object)))?;
        // Calls setter(object, state) when read; what that gives is dropped.
        self.put(&[TUPLE2, REDUCE, POP])
    }

    /// How the object itself is made: a call, or one of the opcodes for `cls.__new__`.
    fn save_construction(&mut self, function: &Value, args: &Value, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        if self.protocol() >= 2
            && let Some(name) = vm.get_attr_opt(function, "__name__")?
        {
            match vm.str_lossy(&name).as_str() {
                "__newobj__" => return self.save_newobj(args, object),
                "__newobj_ex__" => return self.save_newobj_ex(args, object),
                _ => {}
            }
        }
        let shown = object.unwrap_or(Value::none_ref());
        let done = self.save(function, true);
        noted(vm, done, || format!("when serializing {} reconstructor", vm.full_type_name(shown)))?;
        let done = self.save(args, true);
        noted(vm, done, || format!("when serializing {} reconstructor arguments", vm.full_type_name(shown)))?;
        self.op(REDUCE)
    }

    /// Checks the class that `__newobj__` or `__newobj_ex__` is to make an instance of.
    fn check_class(&self, function: &str, cls: &Value, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        if vm.get_attr_opt(cls, "__new__")?.is_none() {
            return Err(pickling(vm, &format!("first argument to {function}() has no __new__")));
        }
        if let Some(object) = object {
            let own = vm.get_attr_str(object, "__class__")?;
            if !own.is(cls) {
                let (own, got) = (vm.repr_lossy(&own)?, vm.repr_lossy(cls)?);
                return Err(pickling(
                    vm,
                    &format!("first argument to {function}() must be {own}, not {got}"),
                ));
            }
        }
        Ok(())
    }

    fn save_newobj(&mut self, args: &Value, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let items = vm.collect(args)?;
        let Some((cls, rest)) = items.split_first() else {
            return Err(pickling(vm, "__newobj__ expected at least 1 argument, got 0"));
        };
        self.check_class("__newobj__", cls, object)?;
        let shown = object.unwrap_or(Value::none_ref());
        let done = self.save(cls, true);
        noted(vm, done, || format!("when serializing {} class", vm.full_type_name(shown)))?;
        let rest = vm.new_tuple(rest.to_vec())?;
        let done = self.save(&rest, true);
        noted(vm, done, || format!("when serializing {} __new__ arguments", vm.full_type_name(shown)))?;
        self.op(NEWOBJ)
    }

    fn save_newobj_ex(&mut self, args: &Value, object: Option<&Value>) -> Res<()> {
        let vm = self.vm;
        let items = vm.collect(args)?;
        let [cls, positional, keywords] = items.as_slice() else {
            let n = items.len();
            return Err(pickling(vm, &format!("__newobj_ex__ expected 3 arguments, got {n}")));
        };
        self.check_class("__newobj_ex__", cls, object)?;
        if positional.downcast::<Tuple>().is_none() {
            let got = vm.full_type_name(positional);
            return Err(pickling(
                vm,
                &format!("second argument to __newobj_ex__() must be a tuple, not {got}"),
            ));
        }
        let Some(named) = keywords.downcast_ref::<Dict>() else {
            let got = vm.full_type_name(keywords);
            return Err(pickling(
                vm,
                &format!("third argument to __newobj_ex__() must be a dict, not {got}"),
            ));
        };
        let shown = object.unwrap_or(Value::none_ref());
        if self.protocol() >= 4 {
            let done = self.save(cls, true);
            noted(vm, done, || format!("when serializing {} class", vm.full_type_name(shown)))?;
            let done = self.save(positional, true).and_then(|()| self.save(keywords, true));
            noted(vm, done, || format!("when serializing {} __new__ arguments", vm.full_type_name(shown)))?;
            return self.op(NEWOBJ_EX);
        }
        // Before protocol 4 a partial object stands for the call.
        let partial = vm.get_attr_str(&vm.import("functools")?, "partial")?;
        let mut values = vec![vm.get_attr_str(cls, "__new__")?, cls.clone()];
        values.extend(vm.collect(positional)?);
        let (names, more): (Vec<Value>, Vec<Value>) = named.pairs().into_iter().unzip();
        values.extend(more);
        let bound = vm.call(&partial, &CallArgs { values: &values, names: &names })?;
        let done = self.save(&bound, true);
        noted(vm, done, || format!("when serializing {} reconstructor", vm.full_type_name(shown)))?;
        let empty = vm.new_tuple(Vec::new())?;
        self.save(&empty, true)?;
        self.op(REDUCE)
    }

    /// `getattr`, which older protocols use for dotted names.
    pub fn getattr_function(&self) -> Res {
        builtin(self.vm, "getattr")
    }
}

/// `table[key]` of a dict or any mapping, `None` when it is not there.
fn look_up(vm: &Interpreter, table: &Value, key: &Value) -> Res<Option<Value>> {
    if vm.is_exact(table, &vm.types().dict)
        && let Some(dict) = table.downcast::<Dict>()
    {
        return dict.get(vm, key);
    }
    match vm.get_item(table, key) {
        Ok(found) => Ok(Some(found)),
        Err(raised) if vm.raised_is(vm.exceptions().lookup_error()) => {
            drop(vm.take_raised(raised));
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// An opcode with its argument.
fn header(op: u8, argument: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(argument.len() + 1);
    bytes.push(op);
    bytes.extend_from_slice(argument);
    bytes
}

/// Little-endian two's complement in as few bytes as hold the sign; none for 0.
fn signed_bytes(big: &IBig) -> Vec<u8> {
    let zero = IBig::from(0);
    if *big == zero {
        return Vec::new();
    }
    let negative = *big < zero;
    // -n is the complement of n - 1.
    let magnitude = if negative { -big - IBig::from(1) } else { big.clone() };
    let mut bytes = le_bytes(&magnitude);
    if bytes.last().is_none_or(|last| last & 0x80 != 0) {
        bytes.push(0);
    }
    if negative {
        bytes.iter_mut().for_each(|b| *b = !*b);
    }
    bytes
}

/// The bytes of an int that is not negative, lowest first, none for 0.
fn le_bytes(big: &IBig) -> Vec<u8> {
    let (_, magnitude) = big.clone().into_parts();
    let mut bytes = magnitude.to_le_bytes().to_vec();
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    bytes
}

/// An int that is not negative from its bytes, lowest first.
pub fn from_le_bytes(bytes: &[u8]) -> IBig {
    IBig::from(UBig::from_le_bytes(bytes))
}

/// Whether `persistent_id` or another method is the one that the base class has.
pub fn is_default(value: &Value, def: &'static pellucid_object::FunctionDef) -> bool {
    value.downcast::<Builtin>().is_some_and(|b| std::ptr::eq(b.def, def))
}
