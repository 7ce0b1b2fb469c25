//! Names, attributes and items.

use super::state::Slot;
use super::{Build, Builder, Stop};
use crate::ir::{Block, Edge, New, Op, Region, Term, Ty, Val};
use pellucid_interp::caches;
use pellucid_interp::form::{Cache, Instr};
use pellucid_interp::frame::Frame;
use pellucid_interp::function::Function;
use pellucid_interp::hot::kinds;
use pellucid_object::{Type, Value, layout};
use std::mem::offset_of;

/// What an inline cache has learnt.
struct Learnt {
    kind: u16,
    place: usize,
    version: u64,
    shape: u64,
    value: u64,
    index: usize,
}

impl Learnt {
    fn of(cache: &Cache) -> Learnt {
        Learnt {
            kind: cache.kind.get(),
            place: cache.place.get() as usize,
            version: cache.version.get(),
            shape: cache.shape.get(),
            value: cache.value.get(),
            index: cache.index.get() as usize,
        }
    }
}

impl Builder<'_> {
    fn learnt(&self, instr: Instr) -> Build<Learnt> {
        self.with_form(|form| Learnt::of(&form.caches[instr.e as usize]))
    }

    /// All that an instruction has learnt of objects of several types.
    fn all_learnt(&mut self, instr: Instr) -> Build<Vec<Learnt>> {
        let entries: Vec<Learnt> =
            self.with_form(|form| form.caches[instr.e as usize].entries().map(Learnt::of).collect())?;
        let object = self.vm.types().object.value().clone();
        let class = |entry: &Learnt| {
            let version = u32::try_from(entry.version).ok().filter(|v| *v != 0)?;
            Type::with_version(&object, version)
        };
        // What belongs to classes that have changed or are gone is worth nothing.
        Ok(entries
            .into_iter()
            .filter(|entry| match class(entry) {
                Some(class) => {
                    self.keep.push(class);
                    true
                }
                None => false,
            })
            .collect())
    }

    /// The dicts of globals and builtins, the addresses of their objects.
    fn namespace(&mut self, builtins: bool) -> Val {
        if let Some(call) = &self.context.activation.call {
            let function = call.function;
            let field = if builtins { offset_of!(Function, builtins) } else { offset_of!(Function, globals) };
            return self.load(Region::Frame, layout::PAYLOAD + field, function, Ty::Raw);
        }
        let frame = self.constant(Op::Frame, Ty::Raw);
        let field = if builtins { offset_of!(Frame, builtins) } else { offset_of!(Frame, globals) };
        // A frame has the address of the payload.
        self.load(Region::Frame, field, frame, Ty::Raw)
    }

    fn namespace_offset(&self, offset: usize) -> usize {
        if self.context.activation.call.is_some() { layout::PAYLOAD + offset } else { offset }
    }

    pub(crate) fn load_global(&mut self, instr: Instr) -> Build<bool> {
        let learnt = self.learnt(instr)?;
        if !matches!(learnt.kind, caches::GLOBAL | caches::BUILTIN) || self.is_dead_end()? {
            return Ok(false);
        }
        let globals = self.namespace(false);
        self.guard_keys(globals, learnt.version);
        let dict = if learnt.kind == caches::BUILTIN {
            let builtins = self.namespace(true);
            self.guard_keys(builtins, learnt.shape);
            builtins
        } else {
            globals
        };
        let offset = self.namespace_offset(self.layout.dict_entries);
        let entries = self.load(Region::Dict, offset, dict, Ty::Raw);
        let offset = learnt.index * self.layout.entry_size + self.layout.entry_value;
        let value = self.load(Region::Dict, offset, entries, Ty::Word);
        self.result(instr.a, value);
        Ok(true)
    }

    fn guard_keys(&mut self, dict: Val, version: u64) {
        let offset = self.namespace_offset(self.layout.dict_version);
        let held = self.load(Region::Dict, offset, dict, Ty::Raw);
        self.guard(Op::GuardIs(version), &[held], Ty::Raw);
    }

    pub(crate) fn load_deref(&mut self, instr: Instr) -> Build<bool> {
        if self.is_dead_end()? {
            return Ok(false);
        }
        let cell = self.operand_word(instr.b)?;
        let offset = layout::PAYLOAD + offset_of!(pellucid_interp::cell::Cell, contents);
        let value = self.load(Region::Attrs, offset, cell, Ty::Word);
        self.guard(Op::GuardNot(0), &[value], Ty::Word);
        self.result(instr.a, value);
        Ok(true)
    }

    // Attributes.

    /// The type that an instruction's receiver was seen to have, if that is what its cache knows.
    fn receiver(&mut self, learnt: &Learnt) -> Build<Option<Value>> {
        let Some(value) = self.seen(|seen| seen.target())? else { return Ok(None) };
        let known = value
            .downcast::<Type>()
            .is_some_and(|ty| u64::from(ty.current_version()) == learnt.version && learnt.version != 0);
        Ok(known.then_some(value))
    }

    /// Guards that an object is of a type that has not changed; gives the object.
    pub(crate) fn guard_class(&mut self, object: Val, class: &Value, version: u64) -> Val {
        let ty = class.bits();
        let stable = class
            .downcast::<Type>()
            .is_some_and(|t| !t.flags.get().contains(pellucid_object::TypeFlags::MUTABLE));
        let object = self.guard(Op::GuardType { ty, stable }, &[object], Ty::Word);
        // By way of the object, which keeps its type alive: the code does not.
        let own = self.load(Region::Header, layout::TYPE, object, Ty::Raw);
        let held = self.load32(Region::Header, layout::TYPE_VERSION, own);
        self.guard(Op::GuardIs(version), &[held], Ty::Raw);
        object
    }

    /// Guards that an object is laid out as the cache remembers.
    fn guard_layout(&mut self, object: Val, class: &Value, learnt: &Learnt) -> Val {
        let object = self.guard_class(object, class, learnt.version);
        if learnt.place != caches::TYPE_OFFSET {
            let held = self.load(Region::Shape, learnt.place, object, Ty::Raw);
            self.guard(Op::GuardIs(learnt.shape), &[held], Ty::Raw);
        }
        object
    }

    /// The receiver as a word on the heap, or nothing when it is known to be a number.
    pub(crate) fn object(&mut self, operand: i16) -> Build<Option<Val>> {
        let val = self.operand(operand)?;
        Ok(if self.graph.ty(val) == Ty::Word { Some(val) } else { None })
    }

    pub(crate) fn load_attr(&mut self, instr: Instr) -> Build<bool> {
        let learnt = self.learnt(instr)?;
        let single = !self.is_dead_end()?;
        match learnt.kind {
            caches::WORD | caches::CLASS => {}
            caches::OVERFLOW => return self.load_attr_of_several(instr),
            caches::OWN | caches::MODULE if single => return self.load_attr_of_namespace(instr, &learnt),
            _ => return Ok(false),
        }
        let Some(class) = self.receiver(&learnt)?.filter(|_| single) else {
            return self.load_attr_of_several(instr);
        };
        let Some(object) = self.object(instr.b)? else { return Ok(false) };
        let object = self.guard_layout(object, &class, &learnt);
        let value = if learnt.kind == caches::WORD {
            let value = self.load(Region::Attrs, learnt.index, object, Ty::Word);
            self.guard(Op::GuardNot(0), &[value], Ty::Word)
        } else {
            self.kept(learnt.value)
        };
        self.release(instr.b)?;
        self.result(instr.a, value);
        Ok(true)
    }

    /// An attribute of a class or a module.
    fn load_attr_of_namespace(&mut self, instr: Instr, learnt: &Learnt) -> Build<bool> {
        let Some(class) = self.receiver(learnt)? else { return Ok(false) };
        let Some(offset) = class.downcast::<Type>().map(|ty| ty.attrs_offset.get()) else { return Ok(false) };
        let Some(object) = self.object(instr.b)? else { return Ok(false) };
        if learnt.kind == caches::OWN {
            let root = self.vm.types().object.value().clone();
            let version = u32::try_from(learnt.shape).unwrap_or(0);
            let Some(own) = Type::with_version(&root, version).filter(|_| version != 0) else {
                return Ok(false);
            };
            let object = self.guard_class(object, &class, learnt.version);
            let held = self.load32(Region::Header, layout::TYPE_VERSION, object);
            self.guard(Op::GuardIs(learnt.shape), &[held], Ty::Raw);
            self.keep.push(own);
            let value = self.kept(learnt.value);
            self.release(instr.b)?;
            self.result(instr.a, value);
            return Ok(true);
        }
        if offset == 0 {
            return Ok(false);
        }
        let object = self.guard_class(object, &class, learnt.version);
        let extra = self.load(Region::Shape, offset + layout::EXTRA, object, Ty::Raw);
        let extra = self.guard(Op::GuardNot(0), &[extra], Ty::Raw);
        let dict = self.load(Region::Shape, layout::EXTRA_DICT, extra, Ty::Raw);
        let dict = self.guard(Op::GuardNot(0), &[dict], Ty::Raw);
        let held = self.load(Region::Dict, layout::PAYLOAD + self.layout.dict_version, dict, Ty::Raw);
        self.guard(Op::GuardIs(learnt.shape), &[held], Ty::Raw);
        let entries = self.load(Region::Dict, layout::PAYLOAD + self.layout.dict_entries, dict, Ty::Raw);
        let at = learnt.index * self.layout.entry_size + self.layout.entry_value;
        let value = self.load(Region::Dict, at, entries, Ty::Word);
        self.release(instr.b)?;
        self.result(instr.a, value);
        Ok(true)
    }

    /// An attribute of objects of a few types.
    fn load_attr_of_several(&mut self, instr: Instr) -> Build<bool> {
        if self.is_last_end()? {
            return Ok(false);
        }
        let mut entries = self.all_learnt(instr)?;
        entries.retain(|entry| matches!(entry.kind, caches::WORD | caches::CLASS));
        let Some(object) = self.object(instr.b)? else { return Ok(false) };
        let (cache, name) = self.cache_address(instr)?;
        let value = self.one_of(object, &entries, Op::KnownAttr(cache), name, |builder, entry| {
            if entry.kind == caches::CLASS {
                let value = builder.kept(entry.value);
                return builder.boxed_constant(value);
            }
            let value = builder.load(Region::Attrs, entry.index, object, Ty::Word);
            builder.guard(Op::GuardNot(0), &[value], Ty::Word)
        });
        self.release(instr.b)?;
        self.result(instr.a, value);
        Ok(true)
    }

    /// A constant as a word.
    fn boxed_constant(&mut self, val: Val) -> Val {
        match self.graph.inst(val).op {
            Op::Float(bits) => {
                let word = Value::small_float(f64::from_bits(bits)).map_or(0, |v| v.bits());
                self.word(word)
            }
            _ => self.boxed(val),
        }
    }

    /// The address of an instruction's caches, and its name, both of which its code keeps.
    fn cache_address(&mut self, instr: Instr) -> Build<(u64, Val)> {
        self.keep.push(self.context.activation.code.clone());
        let name = self.code()?.names.get(instr.d as usize).map(Value::bits);
        let name = self.word(name.ok_or(Stop::No("no such name"))?);
        let cache = self.with_form(|form| std::ptr::from_ref(&form.caches[instr.e as usize]) as u64)?;
        Ok((cache, name))
    }

    /// What `f` makes of the one of several types that the object has, or what `other` gives for all other types.
    fn one_of(
        &mut self,
        object: Val,
        entries: &[Learnt],
        other: Op,
        name: Val,
        mut f: impl FnMut(&mut Self, &Learnt) -> Val,
    ) -> Val {
        if entries.is_empty() {
            let exit = self.exit_here();
            return self.emit(other, &[object, name], Some(Ty::Word), Some(exit));
        }
        self.guard(Op::GuardHeap, &[object], Ty::Word);
        let ty = self.load(Region::Header, layout::TYPE, object, Ty::Raw);
        let version = self.load32(Region::Header, layout::TYPE_VERSION, ty);
        let merge = self.graph.new_block((self.context.activation.level, self.pc));
        let result = self.graph.param(merge, Ty::Word);
        let state = self.state.clone();
        for entry in entries {
            let known = self.constant(Op::Raw(entry.version as i64), Ty::Raw);
            let is = self.emit(Op::Same, &[version, known], Some(Ty::Bool), None);
            let (then, next) = self.split(is);
            self.now = then;
            if entry.place != caches::TYPE_OFFSET {
                let held = self.load(Region::Shape, entry.place, object, Ty::Raw);
                let known = self.constant(Op::Raw(entry.shape as i64), Ty::Raw);
                let is = self.emit(Op::Same, &[held, known], Some(Ty::Bool), None);
                let alike = self.graph.new_block((self.context.activation.level, self.pc));
                let edge = |block| Edge { block: Some(block), args: Vec::new() };
                self.graph.block(then).term = Term::Branch(is, edge(alike), edge(next));
                self.now = alike;
            }
            let value = f(self, entry);
            self.jump_to(merge, value);
            self.now = next;
            self.state = state.clone();
            self.clear_exit();
        }
        let exit = self.exit_here();
        let value = self.emit(other, &[object, name], Some(Ty::Word), Some(exit));
        self.jump_to(merge, value);
        self.now = merge;
        result
    }

    fn jump_to(&mut self, block: Block, value: Val) {
        let now = self.now;
        self.graph.block(now).term = Term::Jump(Edge { block: Some(block), args: vec![value] });
    }

    /// A value that a class owns as long as it has the version that was guarded.
    fn kept(&mut self, bits: u64) -> Val {
        // SAFETY: the class still has the version that the cache remembers: it was compared just now.
        let value = unsafe { Value::borrow_bits(&bits).clone() };
        let val = self.of_value(&value);
        self.keep.push(value);
        val
    }

    pub(crate) fn store_attr(&mut self, instr: Instr) -> Build<bool> {
        let learnt = self.learnt(instr)?;
        if !matches!(learnt.kind, caches::WORD | caches::ADD) {
            return Ok(false);
        }
        let single = !self.is_dead_end()?;
        let Some(class) = self.receiver(&learnt)?.filter(|_| single) else {
            return self.store_attr_of_several(instr);
        };
        let Some(object) = self.object(instr.b)? else { return Ok(false) };
        let object = self.guard_layout(object, &class, &learnt);
        let old = if learnt.kind == caches::ADD {
            None
        } else {
            let old = self.load(Region::Attrs, learnt.index, object, Ty::Word);
            Some(self.guard(Op::GuardNot(0), &[old], Ty::Word))
        };
        let new = self.operand_owned(instr.c)?;
        self.store(Region::Attrs, learnt.index, object, new);
        if learnt.kind == caches::ADD {
            let shape = self.constant(Op::Raw(learnt.value as i64), Ty::Raw);
            self.store(Region::Shape, learnt.place, object, shape);
            self.state.learn(Op::GuardIs(learnt.value), shape, None, shape);
        }
        if let Some(old) = old {
            self.dies(old);
        }
        self.release(instr.b)?;
        Ok(true)
    }

    /// A store to objects of whatever types the caches know.
    fn store_attr_of_several(&mut self, instr: Instr) -> Build<bool> {
        if self.is_last_end()? {
            return Ok(false);
        }
        let Some(object) = self.object(instr.b)? else { return Ok(false) };
        let (cache, name) = self.cache_address(instr)?;
        let value = self.operand_word(instr.c)?;
        let exit = self.exit_here();
        let old = self.emit(Op::StoreKnown(cache), &[object, name, value], Some(Ty::Word), Some(exit));
        self.state.forget(Region::Attrs);
        self.state.forget(Region::Shape);
        self.release(instr.c)?;
        self.dies(old);
        self.release(instr.b)?;
        Ok(true)
    }

    pub(crate) fn load_method(&mut self, instr: Instr) -> Build<bool> {
        let learnt = self.learnt(instr)?;
        if matches!(learnt.kind, caches::WORD | caches::CLASS | caches::OWN | caches::MODULE) {
            return self.load_callee(instr);
        }
        if learnt.kind != caches::METHOD || self.is_last_end()? {
            return Ok(false);
        }
        let single = !self.is_dead_end()?;
        let Some(object) = self.object(instr.b)? else { return Ok(false) };
        let (object, function) = match self.receiver(&learnt)?.filter(|_| single) {
            Some(class) => {
                let object = self.guard_layout(object, &class, &learnt);
                (object, self.kept(learnt.value))
            }
            None => match self.method_of_several(instr, object)? {
                Some(function) => (object, function),
                None => return Ok(false),
            },
        };
        // The object moves, or is shared with the local that holds it.
        let from = if instr.b >= 0 { self.slot(instr.b) } else { usize::MAX };
        let to = self.slot(instr.a + 1);
        let moves =
            instr.b >= 0 && self.is_temporary(instr.b)? && matches!(self.state.slots[from], Slot::Mem(_));
        if moves && from != to {
            self.give_up(to);
            self.emit(Op::StoreReg(to as u16), &[object], None, None);
            let unbound = self.unbound();
            self.emit(Op::StoreReg(from as u16), &[unbound], None, None);
            self.set_slot(from, Slot::Dead);
            self.set_slot(to, Slot::Mem(Some(object)));
        } else if !moves {
            self.release(instr.b)?;
            self.put(to, Slot::Borrowed(object));
        }
        let at = self.slot(instr.a);
        self.put(at, Slot::Borrowed(function));
        Ok(true)
    }

    /// What is called is no method but a plain attribute: it stands behind an empty place.
    fn load_callee(&mut self, instr: Instr) -> Build<bool> {
        if !self.load_attr(Instr { a: instr.a + 1, ..instr })? {
            return Ok(false);
        }
        let (at, val) = (self.slot(instr.a), self.unbound());
        self.give_up(at);
        self.emit(Op::StoreReg(at as u16), &[val], None, None);
        self.set_slot(at, Slot::Now { val, clean: true });
        Ok(true)
    }

    /// The method of objects of a few types, and which functions it may be.
    fn method_of_several(&mut self, instr: Instr, object: Val) -> Build<Option<Val>> {
        let mut entries = self.all_learnt(instr)?;
        entries.retain(|entry| entry.kind == caches::METHOD);
        let (cache, name) = self.cache_address(instr)?;
        let mut choices: Vec<Value> = Vec::new();
        let function = self.one_of(object, &entries, Op::KnownMethod(cache), name, |builder, entry| {
            let val = builder.kept(entry.value);
            if let Some(value) = builder.keep.last().cloned()
                && !choices.iter().any(|choice| choice.is(&value))
            {
                choices.push(value);
            }
            val
        });
        self.choices.insert(function, choices);
        Ok(Some(function))
    }

    // Items.

    /// The items of an exact list and the index of one, both guarded.
    fn list_item(&mut self, container: i16, index: i16, seen: (u16, u16)) -> Build<Option<(Val, Val)>> {
        let Some(list) = self.object(container)? else { return Ok(None) };
        let guard = Op::GuardType { ty: self.vm.types().list.value().bits(), stable: true };
        if self.state.fact(guard, list, None).is_none() && seen.0 != kinds::LIST {
            return Ok(None);
        }
        let Some(index) = self.index(index, seen.1)? else { return Ok(None) };
        let list = self.guard(guard, &[list], Ty::Word);
        let len = self.load(Region::List, self.layout.list_len, list, Ty::Raw);
        let items = self.load(Region::List, self.layout.list_items, list, Ty::Raw);
        let index = self.within(index, len)?;
        Ok(Some((items, index)))
    }

    /// An operand as an index, if it is an int or was seen to be one.
    pub(crate) fn index(&mut self, operand: i16, seen: u16) -> Build<Option<Val>> {
        let index = self.operand(operand)?;
        Ok(match self.graph.ty(index) {
            Ty::Int => Some(index),
            Ty::Word if seen == kinds::INT || self.state.fact(Op::GuardInt, index, None).is_some() => {
                Some(self.guard(Op::GuardInt, &[index], Ty::Int))
            }
            _ => None,
        })
    }

    /// An index that is guarded to be below a length; a constant may count from the end, and others where that was seen to fail.
    pub(crate) fn within(&mut self, index: Val, len: Val) -> Build<Val> {
        let failed = self.seen(|seen| seen.failed.get())?;
        let index = match self.graph.as_int(index) {
            Some(n) if n < 0 => {
                let len = self.pure(Op::RawToInt, &[len], Ty::Int);
                self.pure(Op::IntAddQuick, &[len, index], Ty::Int)
            }
            None if failed > 0 => self.pure(Op::FromEnd, &[index, len], Ty::Int),
            _ => index,
        };
        Ok(self.guard(Op::Bound, &[index, len], Ty::Int))
    }

    pub(crate) fn item(&mut self, items: Val, index: Val) -> Val {
        if let Some(known) = self.state.fact(Op::Item, items, Some(index)) {
            return known;
        }
        // It may be the one that is not stored yet.
        self.store_item();
        let val = self.emit(Op::Item, &[items, index], Some(Ty::Word), None);
        self.state.learn(Op::Item, items, Some(index), val);
        val
    }

    /// The item of a tuple that was not made, where the index is known.
    fn virtual_item(&mut self, instr: Instr) -> Build<Option<Val>> {
        let Some(items) = self.virtual_items(instr.b) else { return Ok(None) };
        let index = self.operand(instr.c)?;
        let Some(index) = self.graph.as_int(index) else { return Ok(None) };
        let index = if index < 0 { index + items.len() as i64 } else { index };
        Ok(usize::try_from(index).ok().and_then(|index| items.get(index)).copied())
    }

    /// The item of an exact tuple.
    fn tuple_item(&mut self, instr: Instr, seen: (u16, u16)) -> Build<Option<Val>> {
        let tuple = self.operand(instr.b)?;
        let index = self.operand(instr.c)?;
        let is_int = self.graph.ty(index) == Ty::Int || seen.1 == kinds::INT;
        if seen.0 != kinds::TUPLE || self.graph.ty(tuple) != Ty::Word || !is_int {
            return Ok(None);
        }
        let ty = self.vm.types().tuple.value().bits();
        let tuple = self.guard(Op::GuardType { ty, stable: true }, &[tuple], Ty::Word);
        let index = match self.graph.ty(index) {
            Ty::Int => index,
            Ty::Word => self.guard(Op::GuardInt, &[index], Ty::Int),
            _ => return Ok(None),
        };
        Ok(Some(self.guard(Op::TupleItem, &[tuple, index], Ty::Word)))
    }

    pub(crate) fn load_subscr(&mut self, instr: Instr) -> Build<bool> {
        let seen = self.seen(|seen| (seen.b.get(), seen.c.get()))?;
        if let Some(item) = self.virtual_item(instr)? {
            self.release(instr.b)?;
            self.result(instr.a, item);
            return Ok(true);
        }
        if self.is_dead_end()? {
            return Ok(false);
        }
        let value = match self.list_item(instr.b, instr.c, seen)? {
            Some((items, index)) => self.item(items, index),
            None => match self.tuple_item(instr, seen)? {
                Some(value) => value,
                None => match self.array_item(instr.b, instr.c, seen.1)? {
                    Some((kind, items, index)) => self.load_array_item(kind, items, index),
                    None => return Ok(false),
                },
            },
        };
        self.release(instr.c)?;
        self.release(instr.b)?;
        self.result(instr.a, value);
        Ok(true)
    }

    pub(crate) fn store_subscr(&mut self, instr: Instr) -> Build<bool> {
        let seen = self.seen(|seen| (seen.a.get(), seen.b.get()))?;
        if self.is_last_end()? {
            return Ok(false);
        }
        let Some((items, index)) = self.list_item(instr.a, instr.b, seen)? else {
            return self.store_array_item(instr);
        };
        let old = self.item(items, index);
        let value = self.operand(instr.c)?;
        let plain = match self.graph.ty(value) {
            Ty::Int | Ty::Bool => true,
            Ty::Word => self.is_plain(value),
            _ => false,
        };
        if plain && self.is_plain(old) {
            // Neither is counted: the store can wait, and another one to the same place replaces it.
            let word = self.boxed(value);
            if self.state.item.is_some_and(|(i, x, _)| i != items || x != index) {
                self.store_item();
            }
            self.state.item = Some((items, index, value));
            self.clear_exit();
            self.state.forget(Region::Items);
            self.state.learn(Op::Item, items, Some(index), word);
            self.release(instr.c)?;
            self.release(instr.b)?;
            self.release(instr.a)?;
            return Ok(true);
        }
        self.store_item();
        let new = self.operand_owned(instr.c)?;
        self.emit(Op::SetItem, &[items, index, new], None, None);
        self.state.forget(Region::Items);
        self.state.learn(Op::Item, items, Some(index), new);
        self.dies(old);
        self.release(instr.b)?;
        self.release(instr.a)?;
        Ok(true)
    }

    pub(crate) fn list_append(&mut self, instr: Instr) -> Build<bool> {
        let at = self.slot(instr.b);
        let Slot::Mem(_) = self.state.slots[at] else { return Ok(false) };
        self.store_item();
        let list = self.mem_word(at);
        let value = self.operand_word(instr.c)?;
        let exit = self.exit_here();
        self.emit(Op::New(New::Append), &[list, value], None, Some(exit));
        self.state.forget(Region::List);
        self.state.forget(Region::Items);
        self.release(instr.c)?;
        Ok(true)
    }
}
