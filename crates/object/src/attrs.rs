//! Attributes of instances: shapes (hidden classes) and the words they describe.
//!
//! A [`Shape`] maps attribute names to indexes; instances that got the same attributes in the same order share it, so
//! an inline cache needs one pointer comparison to know where an attribute stands. The first words stand in the object, as
//! many as its shape says, the rest in an out-of-line vector; when there are more, the class gives its next instances more room
//! ([`Type::make_room`](crate::Type)), with shapes of their own. Asking for `__dict__` moves the attributes into a real
//! dict for good; the shape is then the dictionary shape, which no cache accepts.
//!
//! Shapes live as long as their interpreter: they are few (bounded by the source text, except for objects used
//! as records with many orders of assignment, which fall over to a dict at [`MAX_SHAPE`] attributes).

use crate::Res;
use crate::class::TypeFlags;
use crate::dict::Dict;
use crate::heap::{Ref, SlotWord, Visitor};
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::words::WordMap;
use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

/// More attributes than this turn an instance into dictionary mode.
pub const MAX_SHAPE: usize = 128;

/// More attributes than this are kept out of line, however many an instance has.
pub(crate) const MAX_INLINE: usize = 24;

/// A hidden class.
pub struct Shape {
    /// Attribute names (interned `str`) in order of their first assignment.
    pub names: Vec<Value>,
    index: WordMap<u64, u32>,
    transitions: RefCell<WordMap<u64, NonNull<Shape>>>,
    /// The attributes stand in a dict: nothing may be cached.
    pub dictionary: bool,
    /// How many words for attributes stand in objects of this shape; not known in dictionary mode, where they are not used.
    pub inline: usize,
}

impl Shape {
    pub(crate) fn root(dictionary: bool, inline: usize) -> Shape {
        let (index, transitions) = (WordMap::default(), RefCell::default());
        Shape { names: Vec::new(), index, transitions, dictionary, inline }
    }

    /// Where the attribute stands; `name` is an interned `str`.
    #[inline]
    pub fn lookup(&self, name: &Value) -> Option<usize> {
        self.index.get(&name.bits()).map(|&i| i as usize)
    }

    /// The shape with `name` added behind.
    fn with(&self, interp: &Interpreter, name: &Value) -> NonNull<Shape> {
        *self.transitions.borrow_mut().entry(name.bits()).or_insert_with(|| {
            let mut next = Shape::root(false, self.inline);
            next.names.clone_from(&self.names);
            next.index.clone_from(&self.index);
            next.index.insert(name.bits(), next.names.len() as u32);
            next.names.push(name.clone());
            interp.shapes.add(next)
        })
    }
}

/// Owns every shape of an interpreter.
#[derive(Default)]
pub struct Shapes(RefCell<Vec<NonNull<Shape>>>);

impl Shapes {
    pub fn add(&self, shape: Shape) -> NonNull<Shape> {
        let shape = NonNull::from(Box::leak(Box::new(shape)));
        self.0.borrow_mut().push(shape);
        shape
    }
    pub(crate) fn clear(&self) {
        for shape in self.0.take() {
            // SAFETY: leaked by `add`, given back once; called when the interpreter ends and no object needs a shape any more.
            drop(unsafe { Box::from_raw(shape.as_ptr()) });
        }
    }
}

#[derive(Default)]
struct Extra {
    overflow: RefCell<Vec<SlotWord>>,
    dict: SlotWord,
}

/// The attribute area of an object; the inline words follow it.
#[repr(C)]
pub struct Attrs {
    shape: Cell<Option<NonNull<Shape>>>,
    extra: Cell<Option<NonNull<Extra>>>,
}
const _: () = assert!(size_of::<Attrs>() == 16);

impl Attrs {
    /// For machine code, in bytes: where the address of what stands out of line is, and where that has the dict.
    pub(crate) const EXTRA_OFFSET: usize = std::mem::offset_of!(Attrs, extra);
    pub(crate) const DICT_OFFSET: usize = std::mem::offset_of!(Extra, dict);

    pub(crate) fn init(&self, root: NonNull<Shape>) {
        self.shape.set(Some(root));
    }

    /// The current shape's address: what inline caches compare.
    #[inline(always)]
    pub fn shape_ptr(&self) -> *const Shape {
        self.shape.get().map_or(std::ptr::null(), |s| s.as_ptr())
    }

    /// Makes `shape` the current one, as an inline cache remembers it.
    ///
    /// # Safety
    /// `shape` is the current shape with one name more, whose word has just been written.
    #[inline(always)]
    pub unsafe fn set_shape_ptr(&self, shape: *const Shape) {
        self.shape.set(NonNull::new(shape.cast_mut()));
    }

    #[inline]
    pub fn shape(&self) -> Option<&Shape> {
        // SAFETY: shapes live as long as the interpreter, hence longer than its objects.
        self.shape.get().map(|s| unsafe { s.as_ref() })
    }

    /// The word of inline attribute `index`.
    ///
    /// # Safety
    /// `index` is below [`Attrs::inline`].
    #[inline(always)]
    pub unsafe fn inline_word(&self, index: usize) -> &SlotWord {
        // SAFETY: by the contract; the words follow this struct.
        unsafe { &*(self as *const Attrs).add(1).cast::<SlotWord>().add(index) }
    }

    fn extra(&self) -> &Extra {
        let ptr = self.extra.get().unwrap_or_else(|| {
            let fresh = NonNull::from(Box::leak(Box::new(Extra::default())));
            self.extra.set(Some(fresh));
            fresh
        });
        // SAFETY: owned by this area until `release`.
        unsafe { ptr.as_ref() }
    }

    /// How many words for attributes are used in the object: none in dictionary mode.
    #[inline]
    pub fn inline(&self) -> usize {
        self.shape().filter(|shape| !shape.dictionary).map_or(0, |shape| shape.inline)
    }

    /// The attribute's value by index in the shape.
    pub fn word(&self, index: usize) -> Option<Value> {
        let inline = self.inline();
        if index < inline {
            // SAFETY: just checked.
            unsafe { self.inline_word(index) }.get()
        } else {
            self.extra().overflow.borrow().get(index - inline).and_then(SlotWord::get)
        }
    }

    fn set_word(&self, index: usize, value: Option<Value>) -> Option<Value> {
        let inline_slots = self.inline();
        if index < inline_slots {
            // SAFETY: just checked.
            return unsafe { self.inline_word(index) }.replace(value);
        }
        let mut overflow = self.extra().overflow.borrow_mut();
        while overflow.len() <= index - inline_slots {
            overflow.push(SlotWord::default());
        }
        overflow[index - inline_slots].replace(value)
    }

    /// The dict that holds the attributes, in dictionary mode.
    #[inline]
    pub fn dict(&self) -> Option<Ref<Dict>> {
        if !self.shape()?.dictionary {
            return None;
        }
        self.extra().dict.get()?.downcast_ref::<Dict>()
    }

    /// As [`Attrs::dict`], not counted.
    ///
    /// # Safety
    /// Nobody replaces the dict while the result is used.
    #[inline]
    pub unsafe fn peek_dict(&self) -> Option<&Dict> {
        if !self.shape()?.dictionary {
            return None;
        }
        // SAFETY: by the contract.
        unsafe { self.extra().dict.peek()?.downcast::<Dict>() }
    }

    /// # Safety
    /// Called once, when the object dies.
    pub(crate) unsafe fn release(&self) {
        self.clear();
        if let Some(extra) = self.extra.take() {
            // SAFETY: came from `Box::leak` in `extra`, given back once.
            drop(unsafe { Box::from_raw(extra.as_ptr()) });
        }
    }

    pub(crate) fn clear(&self) {
        for index in 0..self.inline() {
            // SAFETY: just so many.
            unsafe { self.inline_word(index) }.set(None);
        }
        if self.extra.get().is_some() {
            let old = std::mem::take(&mut *self.extra().overflow.borrow_mut());
            drop(old);
            self.extra().dict.set(None);
        }
    }

    pub(crate) fn trace(&self, visit: &mut Visitor) {
        for index in 0..self.inline() {
            // SAFETY: just so many.
            unsafe { self.inline_word(index) }.trace(visit);
        }
        if self.extra.get().is_some() {
            self.extra().overflow.borrow().iter().for_each(|w| w.trace(visit));
            self.extra().dict.trace(visit);
        }
    }
}

impl Interpreter {
    /// The instance attribute `name` (interned), without looking at the class.
    pub fn attrs_get(&self, object: &Value, name: &Value) -> Res<Option<Value>> {
        let Some(attrs) = object.attrs() else { return Ok(None) };
        if let Some(dict) = attrs.dict() {
            return dict.get_str(self, name);
        }
        Ok(attrs.shape().and_then(|s| s.lookup(name)).and_then(|index| attrs.word(index)))
    }

    /// Sets the instance attribute; false when the object has no attribute area.
    pub fn attrs_set(&self, object: &Value, name: &Value, value: Value) -> Res<bool> {
        let Some(attrs) = object.attrs() else { return Ok(false) };
        if attrs.shape().is_some_and(|s| s.dictionary) {
            let dict = match attrs.dict() {
                Some(dict) => dict,
                None => {
                    let fresh = self.new_dict()?;
                    attrs.extra().dict.set(Some(fresh.value().clone()));
                    fresh
                }
            };
            dict.set(self, name.clone(), value)?;
            return Ok(true);
        }
        let Some(shape) = attrs.shape() else { return Ok(false) };
        match shape.lookup(name) {
            Some(index) => drop(attrs.set_word(index, Some(value))),
            None if shape.names.len() >= MAX_SHAPE => {
                self.attrs_dict(object)?;
                return self.attrs_set(object, name, value);
            }
            None => {
                let index = shape.names.len();
                if index >= shape.inline {
                    self.type_of_ref(object).make_room(index + 1);
                }
                let old = attrs.set_word(index, Some(value));
                attrs.shape.set(Some(shape.with(self, name)));
                drop(old);
            }
        }
        Ok(true)
    }

    /// Deletes the instance attribute; false when it was not there.
    pub fn attrs_delete(&self, object: &Value, name: &Value) -> Res<bool> {
        let Some(attrs) = object.attrs() else { return Ok(false) };
        if attrs.dict().is_none() {
            let present = attrs.shape().is_some_and(|s| s.lookup(name).is_some());
            if !present {
                return Ok(false);
            }
            self.attrs_dict(object)?;
        }
        match attrs.dict() {
            Some(dict) => Ok(dict.remove(self, name)?.is_some()),
            None => Ok(false),
        }
    }

    /// The instance's `__dict__`, made on first use; the instance is in dictionary mode from then on.
    pub fn attrs_dict(&self, object: &Value) -> Res<Option<Ref<Dict>>> {
        let Some(attrs) = object.attrs() else { return Ok(None) };
        if let Some(dict) = attrs.dict() {
            return Ok(Some(dict));
        }
        let names = attrs.shape().map_or(&[][..], |shape| &shape.names);
        let pairs = names.iter().enumerate();
        let pairs = pairs.filter_map(|(index, name)| Some((name.clone(), attrs.word(index)?)));
        let dict = self.new_dict_of_names(names.len(), pairs)?;
        self.attrs_replace_dict(object, dict.clone());
        Ok(Some(dict))
    }

    /// Makes `dict` the instance's `__dict__`. False when the object has no attribute area.
    pub fn attrs_replace_dict(&self, object: &Value, dict: Ref<Dict>) -> bool {
        let Some(attrs) = object.attrs() else { return false };
        let inline = attrs.inline();
        if self.type_of_ref(object).flags.get().contains(TypeFlags::MUTABLE) {
            crate::heap::keep_size(object);
        }
        let old = attrs.extra().dict.replace(Some(dict.into_value()));
        attrs.shape.set(Some(self.dictionary_shape.get()));
        let words: Vec<Option<Value>> =
            // SAFETY: just so many.
            (0..inline).map(|i| unsafe { attrs.inline_word(i) }.replace(None)).collect();
        let overflow = std::mem::take(&mut *attrs.extra().overflow.borrow_mut());
        drop((old, words, overflow));
        true
    }
}
