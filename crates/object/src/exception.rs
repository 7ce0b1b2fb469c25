//! Exceptions: the type tree, the payload, and raising.
//!
//! The exception being raised stands in the interpreter; `Raised` is only its mark. A function that handles an
//! error takes it out with [`Interpreter::take_raised`].

use crate::class::{Type, TypeFlags};
use crate::heap::{Payload, Ref, SlotWord, Visitor, payload};
use crate::interpreter::Interpreter;
use crate::value::Value;
use crate::{PayloadInfo, Raised, Res};
use std::cell::{Cell, RefCell};

/// Payload of every exception.
#[derive(Default)]
pub struct Exception {
    /// `args`, a tuple.
    pub args: SlotWord,
    pub traceback: SlotWord,
    pub cause: SlotWord,
    pub context: SlotWord,
    pub suppress_context: Cell<bool>,
    /// Further fields by index: `StopIteration.value`, `OSError.errno`, ... (their types say which).
    pub fields: RefCell<Vec<SlotWord>>,
}

impl Payload for Exception {
    fn trace(&self, visit: &mut Visitor) {
        for word in [&self.args, &self.traceback, &self.cause, &self.context] {
            word.trace(visit);
        }
        self.fields.borrow().iter().for_each(|f| f.trace(visit));
    }
    fn clear(&self) {
        for word in [&self.args, &self.traceback, &self.cause, &self.context] {
            word.set(None);
        }
        let fields = std::mem::take(&mut *self.fields.borrow_mut());
        drop(fields);
    }
}

impl Exception {
    pub fn field(&self, index: usize) -> Option<Value> {
        self.fields.borrow().get(index).and_then(SlotWord::get)
    }
    pub fn set_field(&self, index: usize, value: Option<Value>) {
        let old = {
            let mut fields = self.fields.borrow_mut();
            while fields.len() <= index {
                fields.push(SlotWord::default());
            }
            fields[index].replace(value)
        };
        drop(old);
    }
}

pub(crate) static EXCEPTION_PAYLOAD: PayloadInfo = payload::<Exception>();

macro_rules! exceptions {
    ($root:ident; $($field:ident $name:literal $base:ident;)*) => {
        /// The builtin exception types.
        pub struct Exceptions { $($field: Ref<Type>,)* }
        impl Exceptions {
            $(pub fn $field(&self) -> &Ref<Type> { &self.$field })*
            /// All of them, for the `builtins` module.
            pub fn all(&self) -> Vec<&Ref<Type>> { vec![$(&self.$field),*] }
        }
        impl Interpreter {
            pub(crate) fn make_exceptions(&self) -> Res<Exceptions> {
                let $root = self.types().object.clone();
                $(let $field = self.new_exception_type($name, &$base)?;)*
                Ok(Exceptions { $($field,)* })
            }
        }
    };
}

exceptions! {
    object;
    base_exception "BaseException" object;
    exception "Exception" base_exception;
    base_exception_group "BaseExceptionGroup" base_exception;
    generator_exit "GeneratorExit" base_exception;
    keyboard_interrupt "KeyboardInterrupt" base_exception;
    system_exit "SystemExit" base_exception;
    arithmetic_error "ArithmeticError" exception;
    assertion_error "AssertionError" exception;
    attribute_error "AttributeError" exception;
    buffer_error "BufferError" exception;
    eof_error "EOFError" exception;
    import_error "ImportError" exception;
    lookup_error "LookupError" exception;
    memory_error "MemoryError" exception;
    name_error "NameError" exception;
    os_error "OSError" exception;
    reference_error "ReferenceError" exception;
    runtime_error "RuntimeError" exception;
    stop_async_iteration "StopAsyncIteration" exception;
    stop_iteration "StopIteration" exception;
    syntax_error "SyntaxError" exception;
    system_error "SystemError" exception;
    type_error "TypeError" exception;
    value_error "ValueError" exception;
    warning "Warning" exception;
    floating_point_error "FloatingPointError" arithmetic_error;
    overflow_error "OverflowError" arithmetic_error;
    zero_division_error "ZeroDivisionError" arithmetic_error;
    bytes_warning "BytesWarning" warning;
    deprecation_warning "DeprecationWarning" warning;
    encoding_warning "EncodingWarning" warning;
    future_warning "FutureWarning" warning;
    import_warning "ImportWarning" warning;
    pending_deprecation_warning "PendingDeprecationWarning" warning;
    resource_warning "ResourceWarning" warning;
    runtime_warning "RuntimeWarning" warning;
    syntax_warning "SyntaxWarning" warning;
    unicode_warning "UnicodeWarning" warning;
    user_warning "UserWarning" warning;
    blocking_io_error "BlockingIOError" os_error;
    child_process_error "ChildProcessError" os_error;
    connection_error "ConnectionError" os_error;
    file_exists_error "FileExistsError" os_error;
    file_not_found_error "FileNotFoundError" os_error;
    interrupted_error "InterruptedError" os_error;
    is_a_directory_error "IsADirectoryError" os_error;
    not_a_directory_error "NotADirectoryError" os_error;
    permission_error "PermissionError" os_error;
    process_lookup_error "ProcessLookupError" os_error;
    timeout_error "TimeoutError" os_error;
    indentation_error "IndentationError" syntax_error;
    incomplete_input_error "_IncompleteInputError" syntax_error;
    index_error "IndexError" lookup_error;
    key_error "KeyError" lookup_error;
    module_not_found_error "ModuleNotFoundError" import_error;
    not_implemented_error "NotImplementedError" runtime_error;
    python_finalization_error "PythonFinalizationError" runtime_error;
    recursion_error "RecursionError" runtime_error;
    unbound_local_error "UnboundLocalError" name_error;
    unicode_error "UnicodeError" value_error;
    brokenpipe_error "BrokenPipeError" connection_error;
    connection_aborted_error "ConnectionAbortedError" connection_error;
    connection_refused_error "ConnectionRefusedError" connection_error;
    connection_reset_error "ConnectionResetError" connection_error;
    tab_error "TabError" indentation_error;
    unicode_decode_error "UnicodeDecodeError" unicode_error;
    unicode_encode_error "UnicodeEncodeError" unicode_error;
    unicode_translate_error "UnicodeTranslateError" unicode_error;
}

macro_rules! raisers {
    ($($name:ident)*) => {
        impl Interpreter {
            $(
                /// Raises the exception that the method is named after.
                #[cold]
                pub fn $name(&self, message: String) -> Raised {
                    let ty = self.exceptions().$name().clone();
                    self.raise_text(&ty, &message)
                }
            )*
        }
    };
}
raisers!(type_error value_error index_error overflow_error runtime_error system_error name_error zero_division_error
    recursion_error buffer_error assertion_error reference_error lookup_error unbound_local_error
    not_implemented_error eof_error);

impl Interpreter {
    fn new_exception_type(&self, name: &str, base: &Ref<Type>) -> Res<Ref<Type>> {
        let flags = TypeFlags::BASETYPE.or(TypeFlags::HAS_DICT).or(TypeFlags::WEAKREF);
        let ty = self.alloc_type(Type::bare(self, name, &EXCEPTION_PAYLOAD, flags))?;
        self.finish_type(&ty, std::slice::from_ref(base.value()), base)?;
        ty.lay_out(0, true, 0);
        ty.slots.new.set(Some(|vm, cls, args| {
            let exception = Exception::default();
            exception.args.set(Some(vm.new_tuple(args.positional().to_vec())?));
            vm.alloc_subclass(cls, exception)
        }));
        ty.slots.inherit(&base.slots);
        Ok(ty)
    }

    /// Raises an exception object, chaining it to the one being handled.
    #[cold]
    pub fn raise(&self, exception: Value) -> Raised {
        if let Some(handled) = self.handled_exception()
            && !handled.is(&exception)
            && let Some(e) = exception.downcast::<Exception>()
            && !e.context.is_set()
        {
            self.break_context_cycle(&handled, &exception);
            e.context.set(Some(handled));
        }
        self.raise_as_is(exception)
    }

    /// Raises without touching `__context__` (re-raising).
    pub fn raise_as_is(&self, exception: Value) -> Raised {
        self.raised.set(Some(exception));
        Raised(())
    }

    fn break_context_cycle(&self, handled: &Value, exception: &Value) {
        let mut at = handled.clone();
        for _ in 0..1000 {
            let Some(next) = at.downcast::<Exception>().and_then(|e| e.context.get()) else { return };
            if next.is(exception) {
                if let Some(e) = at.downcast::<Exception>() {
                    e.context.set(None);
                }
                return;
            }
            at = next;
        }
    }

    /// Makes and raises `ty(message)`.
    #[cold]
    pub fn raise_text(&self, ty: &Ref<Type>, message: &str) -> Raised {
        match self.new_str(message) {
            Ok(text) => self.raise_with(ty, vec![text]),
            Err(raised) => raised,
        }
    }

    /// Makes and raises `ty(*args)`.
    #[cold]
    pub fn raise_with(&self, ty: &Ref<Type>, args: Vec<Value>) -> Raised {
        match self.call_values(ty.value(), &args) {
            Ok(exception) => self.raise(exception),
            Err(raised) => raised,
        }
    }

    /// A fresh exception if there is room for one, since what it remembers (frames, most of all) must go when it goes; else
    /// the one that was made for this when the interpreter started.
    #[cold]
    pub(crate) fn raise_memory_error(&self) -> Raised {
        let shared = self.memory_error.get();
        self.heap.grant_grace();
        if let Some(exceptions) = self.exceptions_if_made()
            && !self.out_of_memory.replace(true)
        {
            let payload = Exception::default();
            payload.args.set(self.empty_tuple.get());
            // Fails by coming here again.
            let fresh = self.alloc(exceptions.memory_error(), payload);
            self.out_of_memory.set(false);
            return match fresh {
                Ok(exception) => self.raise(exception),
                Err(raised) => raised,
            };
        }
        match shared {
            Some(exception) => {
                if let Some(e) = exception.downcast::<Exception>() {
                    e.traceback.set(None);
                    e.context.set(None);
                }
                self.raise_as_is(exception)
            }
            None => Raised(()),
        }
    }

    /// `StopIteration(value)`.
    #[cold]
    pub fn stop_iteration(&self, value: Option<Value>) -> Raised {
        let ty = self.exceptions().stop_iteration().clone();
        self.raise_with(&ty, value.into_iter().collect())
    }

    /// `KeyError(key)`.
    #[cold]
    pub fn key_error(&self, key: Value) -> Raised {
        let ty = self.exceptions().key_error().clone();
        self.raise_with(&ty, vec![key])
    }

    #[cold]
    pub fn attribute_error_text(&self, message: String) -> Raised {
        let ty = self.exceptions().attribute_error().clone();
        self.raise_text(&ty, &message)
    }

    /// `AttributeError` with `name` and `obj` set, in CPython's words.
    #[cold]
    pub fn no_attribute(&self, object: &Value, name: &Value) -> Raised {
        let text = self.str_lossy(name);
        let message = match object.downcast::<Type>() {
            Some(ty) => format!("type object '{}' has no attribute '{text}'", ty.message_name()),
            None if object.downcast::<crate::native::Module>().is_some() => {
                self.module_no_attribute(object, &text)
            }
            None => format!("'{}' object has no attribute '{text}'", self.type_name(object)),
        };
        self.attribute_missing(message, object, name)
    }

    /// The error for an entry of `__slots__` that holds nothing.
    #[cold]
    pub(crate) fn empty_slot(&self, object: &Value, name: &Value) -> Raised {
        let (ty, text) = (self.full_type_name(object), self.str_lossy(name));
        self.attribute_missing(format!("'{ty}' object has no attribute '{text}'"), object, name)
    }

    fn attribute_missing(&self, message: String, object: &Value, name: &Value) -> Raised {
        let raised = self.attribute_error_text(message);
        if let Some(exception) = self.raised.get()
            && let Some(e) = exception.downcast::<Exception>()
        {
            e.set_field(0, Some(name.clone()));
            e.set_field(1, Some(object.clone()));
        }
        raised
    }

    fn module_no_attribute(&self, module: &Value, text: &str) -> String {
        let name = self.intern_static("__name__").and_then(|n| self.attrs_get(module, &n));
        match name {
            Ok(Some(name)) => format!("module '{}' has no attribute '{text}'", self.str_lossy(&name)),
            _ => format!("module has no attribute '{text}'"),
        }
    }

    /// `TypeError: unhashable type: 'list'`.
    #[cold]
    pub fn unhashable(&self, value: &Value) -> Raised {
        self.type_error(format!("unhashable type: '{}'", self.type_name(value)))
    }

    /// Adds a note to the raised exception.
    #[cold]
    pub fn note_raised(&self, raised: Raised, note: &str) -> Raised {
        let exception = self.take_raised(raised);
        let added = self
            .new_str(note)
            .and_then(|note| self.call_attr(&exception, "add_note", std::slice::from_ref(&note)));
        match added {
            Ok(_) => self.raise_as_is(exception),
            Err(raised) => raised,
        }
    }

    /// Takes the raised exception out: it is handled now.
    pub fn take_raised(&self, _: Raised) -> Value {
        self.raised.replace(None).unwrap_or(Value::NONE)
    }

    /// Whether the raised exception is an instance of `ty`.
    pub fn raised_is(&self, ty: &Ref<Type>) -> bool {
        self.raised.get().is_some_and(|e| self.type_of(&e).is_subtype_of(ty))
    }

    /// Sets the raised exception aside while Python code runs that must not see it.
    pub fn save_raised(&self) -> Option<Value> {
        self.raised.replace(None)
    }
    pub fn restore_raised(&self, saved: Option<Value>) {
        self.raised.set(saved);
    }

    /// Reports an exception that nobody can catch (`sys.unraisablehook`).
    pub fn unraisable(&self, raised: Raised, message: &str, object: &Value) {
        let exception = self.take_raised(raised);
        if let Some(hook) = self.hooks.unraisable.get() {
            hook(self, &exception, message, object);
        }
    }
}
