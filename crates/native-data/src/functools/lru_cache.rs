//! The wrapper behind `functools.lru_cache`: results in a dict whose order is that of their last use.

use crate::slot_payload;
use crate::support::{bind, is_callable, this, word};
use pellucid_object::{
    CallArgs, Dict, FunctionDef, GetSetDef, Interpreter, NativeFn, Ref, Res, Slot, SlotWord, TypeDef,
    TypeFlags, Value, class_new::DUNDER_DICT, interpreter::Plain, payload,
};
use std::cell::{Cell, RefCell};

/// Payload of `_lru_cache_wrapper`.
pub struct LruCache {
    function: SlotWord,
    /// A dict: the oldest result first when `max` bounds it.
    results: SlotWord,
    info_type: SlotWord,
    max: Option<usize>,
    typed: bool,
    hits: Cell<i64>,
    misses: Cell<i64>,
}
slot_payload!(LruCache: function, results, info_type);

/// What stands in a key between positional and keyword arguments.
#[derive(Default)]
struct KeywordMark(RefCell<Option<Value>>);

fn keyword_mark(vm: &Interpreter) -> Res {
    let state = vm.state::<KeywordMark>();
    if let Some(mark) = state.0.borrow().as_ref() {
        return Ok(mark.clone());
    }
    let mark = vm.alloc(&vm.types().object, Plain)?;
    *state.0.borrow_mut() = Some(mark.clone());
    Ok(mark)
}

fn new(vm: &Interpreter, cls: &Value, call: &CallArgs) -> Res {
    let args = bind(vm, "lru_cache", "(user_function, maxsize, typed, cache_info_type)", call)?;
    if !is_callable(vm, args.req(0)) {
        return Err(vm.type_error("the first argument must be callable".to_string()));
    }
    let max = match args.some(1) {
        None => None,
        Some(max) if pellucid_types::seq::has_index(vm, max) => {
            Some(usize::try_from(vm.expect_i64(max)?).unwrap_or(0))
        }
        Some(_) => return Err(vm.type_error("maxsize should be integer or None".to_string())),
    };
    let payload = LruCache {
        function: word(args.req(0)),
        results: word(vm.new_dict()?.value()),
        info_type: word(args.req(3)),
        max,
        typed: vm.truthy(args.req(2))?,
        hits: Cell::new(0),
        misses: Cell::new(0),
    };
    vm.alloc_subclass(cls, payload)
}

/// The key of a call: the argument itself when it is one plain int or str.
fn key(vm: &Interpreter, call: &CallArgs, typed: bool) -> Res {
    if let ([only], [], false) = (call.values, call.names, typed)
        && (only.is_small_int() || vm.is_exact(only, &vm.types().str) || vm.is_exact(only, &vm.types().int))
    {
        return Ok(only.clone());
    }
    let mut parts = call.positional().to_vec();
    if !call.names.is_empty() {
        parts.push(keyword_mark(vm)?);
        parts.extend(call.keywords().flat_map(|(name, value)| [name.clone(), value.clone()]));
    }
    if typed {
        let types: Vec<Value> = call.values.iter().map(|v| vm.type_of(v).into_value()).collect();
        parts.extend(types);
    }
    vm.new_tuple(parts)
}

fn results(vm: &Interpreter, cache: &LruCache) -> Res<Ref<Dict>> {
    match cache.results.get().and_then(|r| r.downcast_ref::<Dict>()) {
        Some(results) => Ok(results),
        None => Err(vm.type_error("the cache was cleared by the collector".to_string())),
    }
}

fn call(vm: &Interpreter, callee: &Value, call: &CallArgs) -> Res {
    let cache = this::<LruCache>(vm, callee)?;
    let function = cache.function.get().unwrap_or(Value::NONE);
    if cache.max == Some(0) {
        cache.misses.update(|n| n + 1);
        return vm.call(&function, call);
    }
    let results = results(vm, cache)?;
    let key = key(vm, call, cache.typed)?;
    let hash = vm.hash(&key)?;
    if let Some(i) = results.find(vm, &key, hash)?
        && let Some(found) = results.value_at(i)
    {
        cache.hits.update(|n| n + 1);
        if cache.max.is_some() {
            results.move_to_end(vm, i)?;
        }
        return Ok(found);
    }
    cache.misses.update(|n| n + 1);
    let result = vm.call(&function, call)?;
    let Some(max) = cache.max else {
        results.set_hashed(vm, key, hash, result.clone())?;
        return Ok(result);
    };
    // The call may have used the cache, with the same arguments even.
    if results.find(vm, &key, hash)?.is_some() {
        return Ok(result);
    }
    while results.len() >= max {
        let oldest = results.entry_from(0).and_then(|(i, ..)| results.remove_at(vm, i));
        if oldest.is_none() {
            break;
        }
    }
    results.set_hashed(vm, key, hash, result.clone())?;
    Ok(result)
}

fn cache_info(vm: &Interpreter, value: &Value) -> Res {
    let cache = this::<LruCache>(vm, value)?;
    let max = cache.max.map_or(Ok(Value::NONE), |max| vm.new_int(max as i64))?;
    let size = vm.new_int(results(vm, cache)?.len() as i64)?;
    let info_type = cache.info_type.get().unwrap_or(Value::NONE);
    let (hits, misses) = (vm.new_int(cache.hits.get())?, vm.new_int(cache.misses.get())?);
    vm.call_values(&info_type, &[hits, misses, max, size])
}

fn cache_clear(vm: &Interpreter, value: &Value) -> Res {
    let cache = this::<LruCache>(vm, value)?;
    cache.hits.set(0);
    cache.misses.set(0);
    results(vm, cache)?.clear_entries();
    Ok(Value::NONE)
}

pub static LRU_CACHE: TypeDef = TypeDef {
    name: "_lru_cache_wrapper",
    module: "functools",
    base: None,
    payload: payload::<LruCache>(),
    flags: TypeFlags::BASETYPE
        .or(TypeFlags::HAS_DICT)
        .or(TypeFlags::WEAKREF)
        .or(TypeFlags::METHOD_DESCRIPTOR),
    doc: "A callable that remembers the results of another.",
    slots: &[
        Slot::New(new),
        Slot::Call(call),
        Slot::DescrGet(|vm, value, object, _| match object {
            Some(object) => vm.new_bound_method(value.clone(), object.clone()),
            None => Ok(value.clone()),
        }),
    ],
    methods: &[
        FunctionDef::new(
            "cache_info",
            "($self, /)",
            "Hits, misses, greatest and current size.",
            NativeFn::F1(cache_info),
        ),
        FunctionDef::new(
            "cache_clear",
            "($self, /)",
            "Forgets all results and counts.",
            NativeFn::F1(cache_clear),
        ),
        FunctionDef::new(
            "__reduce__",
            "($self, /)",
            "",
            NativeFn::F1(|vm, v| vm.get_attr_str(v, "__qualname__")),
        ),
        FunctionDef::new("__copy__", "($self, /)", "", NativeFn::F1(|_, v| Ok(v.clone()))),
        FunctionDef::new("__deepcopy__", "($self, memo, /)", "", NativeFn::F2(|_, v, _| Ok(v.clone()))),
    ],
    getset: GETSET,
};

static GETSET: &[GetSetDef] = &[DUNDER_DICT];
