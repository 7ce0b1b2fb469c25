//! `_locale`: how people of a place write.
//!
//! Each interpreter has its own locale; that of the process stays what it is.

use crate::{libc_constants, set_ints};
use pellucid_host::{LOCALE_CATEGORIES, Locale, libc};
use pellucid_native_sys::new_exception_class;
use pellucid_native_sys::sys::c_int;
use pellucid_object::{
    Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, SlotWord, Value, constant,
};
use std::cell::RefCell;

type Names = [String; LOCALE_CATEGORIES];

/// Variables and names of the categories, by number.
const CATEGORIES: [&str; LOCALE_CATEGORIES] =
    ["LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES"];

/// The locale of an interpreter, once somebody has asked.
#[derive(Default)]
struct State {
    current: RefCell<Option<(Names, Locale)>>,
    error: SlotWord,
}

fn error_class(vm: &Interpreter) -> Res {
    let state = vm.state::<State>();
    if let Some(class) = state.error.get() {
        return Ok(class);
    }
    let base = vm.exceptions().exception().value().clone();
    let class = new_exception_class(vm, "locale", "Error", &base)?;
    state.error.set(Some(class.clone()));
    Ok(class)
}

#[cold]
fn failed(vm: &Interpreter, text: &str) -> Raised {
    let make = || vm.call_values(&error_class(vm)?, &[vm.new_str(text)?]);
    match make() {
        Ok(exception) => vm.raise(exception),
        Err(raised) => raised,
    }
}

fn variable(vm: &Interpreter, name: &str) -> Option<String> {
    let value = vm.host().getenv(name.as_bytes()).filter(|value| !value.is_empty())?;
    Some(String::from_utf8_lossy(&value).into_owned())
}

/// What the environment says of a category.
fn of_environment(vm: &Interpreter, category: usize) -> String {
    variable(vm, "LC_ALL")
        .or_else(|| CATEGORIES.get(category).and_then(|name| variable(vm, name)))
        .or_else(|| variable(vm, "LANG"))
        .unwrap_or_else(|| "C".to_string())
}

/// As programs start: the letters as the environment says, in UTF-8 where it says nothing, and all else in the plain way.
fn at_start(vm: &Interpreter) -> Names {
    let mut names = [const { String::new() }; LOCALE_CATEGORIES].map(|_| "C".to_string());
    names[0] = match of_environment(vm, 0) {
        name if name == "C" || name == "POSIX" => "C.UTF-8".to_string(),
        name => name,
    };
    names
}

/// Does something with the locale. Errors: `locale.Error`.
fn with<R>(vm: &Interpreter, f: impl FnOnce(&Names, &Locale) -> R) -> Res<R> {
    let state = vm.state::<State>();
    if state.current.borrow().is_none() {
        let mut names = at_start(vm);
        let locale = match vm.host().locale(&names) {
            Ok(locale) => locale,
            Err(_) => {
                names[0] = "C".to_string();
                vm.host().locale(&names).map_err(|error| vm.os_error(error))?
            }
        };
        *state.current.borrow_mut() = Some((names, locale));
    }
    match &*state.current.borrow() {
        Some((names, locale)) => Ok(f(names, locale)),
        None => Err(failed(vm, "unsupported locale setting")),
    }
}

/// The name of a category, or of all together.
fn name_of(names: &Names, category: i32) -> String {
    if let Some(name) = usize::try_from(category).ok().and_then(|category| names.get(category)) {
        return name.clone();
    }
    if names.iter().all(|name| name == &names[0]) {
        return names[0].clone();
    }
    let pairs: Vec<String> =
        CATEGORIES.iter().zip(names).map(|(category, name)| format!("{category}={name}")).collect();
    // The categories that are not kept here stay plain.
    format!(
        "{};LC_PAPER=C;LC_NAME=C;LC_ADDRESS=C;LC_TELEPHONE=C;LC_MEASUREMENT=C;LC_IDENTIFICATION=C",
        pairs.join(";")
    )
}

/// The names after a change; `None` when it makes no sense.
fn changed(vm: &Interpreter, old: &Names, category: i32, new: &str) -> Option<Names> {
    let mut names = old.clone();
    if category != libc::LC_ALL {
        let index = usize::try_from(category).ok()?;
        let name = if new.is_empty() { of_environment(vm, index) } else { new.to_string() };
        *names.get_mut(index)? = name;
        return Some(names);
    }
    if new.contains('=') {
        for pair in new.split(';') {
            let (category, name) = pair.split_once('=')?;
            if let Some(index) = CATEGORIES.iter().position(|known| *known == category) {
                names[index] = name.to_string();
            }
        }
        return Some(names);
    }
    for (index, name) in names.iter_mut().enumerate() {
        *name = if new.is_empty() { of_environment(vm, index) } else { new.to_string() };
    }
    Some(names)
}

fn setlocale(vm: &Interpreter, args: &Args) -> Res {
    let category = c_int(vm, args.req(0))?;
    let unsupported = || failed(vm, "unsupported locale setting");
    let known = category == libc::LC_ALL
        || usize::try_from(category).is_ok_and(|category| category < LOCALE_CATEGORIES);
    let Some(wanted) = args.some(1) else {
        if !known {
            return Err(failed(vm, "locale query failed"));
        }
        let name = with(vm, |names, _| name_of(names, category))?;
        return vm.new_str(&name);
    };
    let wanted = vm.expect_str(wanted)?;
    let old = with(vm, |names, _| names.clone())?;
    let mut names = changed(vm, &old, category, &wanted).ok_or_else(unsupported)?;
    for name in &mut names {
        if name == "POSIX" {
            *name = "C".to_string();
        }
    }
    let locale = vm.host().locale(&names).map_err(|_| unsupported())?;
    let result = name_of(&names, category);
    *vm.state::<State>().current.borrow_mut() = Some((names, locale));
    vm.new_str(&result)
}

const NUMERIC: i32 = 0x1_0000;
const MONETARY: i32 = 0x4_0000;

fn localeconv(vm: &Interpreter) -> Res {
    const TEXTS: &[(&str, i32)] = &[
        ("decimal_point", NUMERIC),
        ("thousands_sep", NUMERIC + 1),
        ("int_curr_symbol", MONETARY),
        ("currency_symbol", MONETARY + 1),
        ("mon_decimal_point", MONETARY + 2),
        ("mon_thousands_sep", MONETARY + 3),
        ("positive_sign", MONETARY + 5),
        ("negative_sign", MONETARY + 6),
    ];
    const NUMBERS: &[(&str, i32)] = &[
        ("int_frac_digits", MONETARY + 7),
        ("frac_digits", MONETARY + 8),
        ("p_cs_precedes", MONETARY + 9),
        ("p_sep_by_space", MONETARY + 10),
        ("n_cs_precedes", MONETARY + 11),
        ("n_sep_by_space", MONETARY + 12),
        ("p_sign_posn", MONETARY + 13),
        ("n_sign_posn", MONETARY + 14),
    ];
    let result = vm.new_dict()?;
    let texts = with(vm, |_, locale| {
        TEXTS.iter().map(|(name, item)| (*name, locale.info(*item))).collect::<Vec<_>>()
    })?;
    let numbers = with(vm, |_, locale| {
        NUMBERS.iter().map(|(name, item)| (*name, locale.number(*item))).collect::<Vec<_>>()
    })?;
    let groupings = with(vm, |_, locale| {
        [("grouping", locale.info(NUMERIC + 2)), ("mon_grouping", locale.info(MONETARY + 4))]
    })?;
    for (name, text) in texts {
        result.set(vm, vm.new_str(name)?, vm.fs_decode(&text)?)?;
    }
    for (name, number) in numbers {
        // What is not said is the greatest `char`.
        let number = if number == u8::MAX { 127 } else { number };
        result.set(vm, vm.new_str(name)?, vm.new_int(number.into())?)?;
    }
    for (name, sizes) in groupings {
        result.set(vm, vm.new_str(name)?, grouping(vm, &sizes)?)?;
    }
    Ok(result.into_value())
}

/// Sizes of groups of digits; 0 at the end says that the last goes on, 127 that nothing more is grouped.
fn grouping(vm: &Interpreter, sizes: &[u8]) -> Res {
    let mut result = Vec::new();
    for size in sizes {
        let end = *size == 127 || *size == u8::MAX;
        result.push(vm.new_int(if end { 127 } else { (*size).into() })?);
        if end {
            return vm.new_list(result);
        }
    }
    if !result.is_empty() {
        result.push(vm.new_int(0)?);
    }
    vm.new_list(result)
}

fn strcoll(vm: &Interpreter, a: &Value, b: &Value) -> Res {
    for value in [a, b] {
        if value.downcast::<pellucid_object::Str>().is_none() {
            let got = vm.type_name(value);
            return Err(vm.type_error(format!("strcoll() argument must be str, not {got}")));
        }
    }
    let (a, b) = (vm.fs_encode(a)?, vm.fs_encode(b)?);
    match with(vm, |_, locale| locale.collate(&a, &b))? {
        Ok(order) => vm.new_int(order.into()),
        Err(_) => Err(vm.value_error("embedded null character".to_string())),
    }
}

fn strxfrm(vm: &Interpreter, text: &Value) -> Res {
    if text.downcast::<pellucid_object::Str>().is_none() {
        let got = vm.type_name(text);
        return Err(vm.type_error(format!("strxfrm() argument must be str, not {got}")));
    }
    let bytes = vm.fs_encode(text)?;
    match with(vm, |_, locale| locale.collation_key(&bytes))? {
        // Keys that are no text are shown byte by byte, in the same order.
        Ok(key) => match String::from_utf8(key) {
            Ok(text) => vm.new_str(&text),
            Err(error) => vm.made_text(pellucid_object::Text::from_latin1(error.as_bytes())),
        },
        Err(_) => Err(vm.value_error("embedded null character".to_string())),
    }
}

fn nl_langinfo(vm: &Interpreter, item: &Value) -> Res {
    let item = c_int(vm, item)?;
    if !LANGINFO.iter().any(|(_, known)| *known == i64::from(item)) {
        return Err(vm.value_error("unsupported langinfo constant".to_string()));
    }
    let mut text = with(vm, |_, locale| locale.info(item))?;
    if item == libc::CODESET && text == b"ANSI_X3.4-1968" {
        // As CPython does in its UTF-8 mode, which is what this runtime is always in.
        text = b"UTF-8".to_vec();
    }
    vm.fs_decode(&text)
}

const LANGINFO: &[(&str, i64)] = libc_constants!(DAY_1 DAY_2 DAY_3 DAY_4 DAY_5 DAY_6 DAY_7 ABDAY_1 ABDAY_2 ABDAY_3 ABDAY_4
    ABDAY_5 ABDAY_6 ABDAY_7 MON_1 MON_2 MON_3 MON_4 MON_5 MON_6 MON_7 MON_8 MON_9 MON_10 MON_11 MON_12 ABMON_1 ABMON_2
    ABMON_3 ABMON_4 ABMON_5 ABMON_6 ABMON_7 ABMON_8 ABMON_9 ABMON_10 ABMON_11 ABMON_12 RADIXCHAR THOUSEP CRNCYSTR
    D_FMT D_T_FMT T_FMT AM_STR PM_STR CODESET T_FMT_AMPM ERA ERA_D_FMT ERA_D_T_FMT ERA_T_FMT ALT_DIGITS YESEXPR NOEXPR);

pub static MODULE: ModuleDef = ModuleDef {
    name: "_locale",
    doc: "Support for POSIX locales.",
    functions: &[
        FunctionDef::new(
            "setlocale",
            "(category, locale=None, /)",
            "Activates/queries locale processing.",
            NativeFn::Args(setlocale),
        ),
        FunctionDef::new(
            "localeconv",
            "()",
            "Returns numeric and monetary locale-specific parameters.",
            NativeFn::F0(localeconv),
        ),
        FunctionDef::new(
            "strcoll",
            "(os1, os2, /)",
            "Compares two strings according to the locale.",
            NativeFn::F2(strcoll),
        ),
        FunctionDef::new(
            "strxfrm",
            "(string, /)",
            "Return a string that can be used as a key for locale-aware comparisons.",
            NativeFn::F1(strxfrm),
        ),
        FunctionDef::new(
            "nl_langinfo",
            "(key, /)",
            "Return the value for the locale information associated with key.",
            NativeFn::F1(nl_langinfo),
        ),
        FunctionDef::new(
            "getencoding",
            "()",
            "Get the current locale encoding.",
            NativeFn::F0(|vm| vm.new_str("UTF-8")),
        ),
    ],
    types: &[],
    constants: &[constant("Error", error_class), constant("CHAR_MAX", |vm| vm.new_int(127))],
    init: Some(|vm, module| {
        set_ints(
            vm,
            module,
            libc_constants!(LC_CTYPE LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES LC_ALL),
        )?;
        set_ints(vm, module, LANGINFO)
    }),
};
