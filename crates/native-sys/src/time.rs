//! `time`: clocks, sleeping, calendar times.

use pellucid_host::{Clock, LocalTime};
use pellucid_object::int::IntRef;
use pellucid_object::{
    Args, FunctionDef, Interpreter, ModuleDef, NativeFn, Raised, Res, Str, Tuple, Value, constant,
};
use pellucid_types::structseq::{StructSeqDef, constructible, new_structseq, structseq_type};
use std::time::Duration;

const SECOND: i128 = 1_000_000_000;

/// How fractions of a nanosecond are rounded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Round {
    Floor,
    Ceiling,
    /// Away from zero: for timeouts, so that a short one is not none.
    Up,
    HalfEven,
}

impl Round {
    fn apply(self, value: f64) -> f64 {
        match self {
            Round::Floor => value.floor(),
            Round::Ceiling => value.ceil(),
            Round::Up if value < 0.0 => value.floor(),
            Round::Up => value.ceil(),
            Round::HalfEven => value.round_ties_even(),
        }
    }
}

#[cold]
fn too_large(vm: &Interpreter) -> Raised {
    vm.overflow_error("timestamp too large to convert to C PyTime_t".to_string())
}

/// A number of seconds as nanoseconds in 64 bits. Errors: `TypeError`, `ValueError` for NaN, `OverflowError`.
pub fn nanoseconds(vm: &Interpreter, seconds: &Value, round: Round) -> Res<i64> {
    if let Some(f) = seconds.as_float() {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)".to_string()));
        }
        let scaled = round.apply(f * 1e9);
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&scaled) {
            return Err(too_large(vm));
        }
        return Ok(scaled as i64);
    }
    let index = vm.index(seconds)?;
    vm.as_i64(&index).and_then(|s| s.checked_mul(SECOND as i64)).ok_or_else(|| too_large(vm))
}

/// A number of seconds as a float. Errors: `TypeError`.
pub fn seconds_as_f64(vm: &Interpreter, seconds: &Value) -> Res<f64> {
    if let Some(f) = seconds.as_float() {
        return Ok(f);
    }
    match seconds.as_int() {
        Some(int) => pellucid_types::number::int_to_f64(vm, &int),
        None => {
            let name = vm.type_name(seconds);
            Err(vm.type_error(format!("must be real number, not {name}")))
        }
    }
}

/// A timeout in seconds; `None` for the Python `None`. Errors: as [`nanoseconds`], `ValueError` when negative.
pub fn timeout(vm: &Interpreter, value: Option<&Value>, negative: &str) -> Res<Option<Duration>> {
    let Some(value) = value.filter(|v| !v.is_none()) else { return Ok(None) };
    match u64::try_from(nanoseconds(vm, value, Round::Up)?) {
        Ok(nanoseconds) => Ok(Some(Duration::from_nanos(nanoseconds))),
        Err(_) => Err(vm.value_error(negative.to_string())),
    }
}

/// A number of seconds since 1970, rounded down. Errors: as [`nanoseconds`].
fn whole_seconds(vm: &Interpreter, value: Option<&Value>) -> Res<i64> {
    let out_of_range = || vm.overflow_error("timestamp out of range for platform time_t".to_string());
    let Some(value) = value.filter(|v| !v.is_none()) else {
        let now = read(vm, Clock::Realtime)?;
        return i64::try_from(now.div_euclid(SECOND)).map_err(|_| out_of_range());
    };
    if let Some(f) = value.as_float() {
        if f.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)".to_string()));
        }
        let floor = f.floor();
        if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&floor) {
            return Err(out_of_range());
        }
        return Ok(floor as i64);
    }
    let index = vm.index(value)?;
    vm.as_i64(&index).ok_or_else(out_of_range)
}

/// What a clock shows, in nanoseconds. Errors: `OSError`.
pub fn read(vm: &Interpreter, clock: Clock) -> Res<i128> {
    vm.host().clock(clock).map_err(|error| vm.os_error(error))
}

fn as_seconds(vm: &Interpreter, nanoseconds: i128) -> Res {
    // Dividing the whole number once rounds once.
    vm.new_float(nanoseconds as f64 / 1e9)
}

fn as_int(vm: &Interpreter, nanoseconds: i128) -> Res {
    match i64::try_from(nanoseconds) {
        Ok(small) => vm.new_int(small),
        Err(_) => vm.new_big(pellucid_object::int::IBig::from(nanoseconds)),
    }
}

fn clock_named(vm: &Interpreter, number: &Value) -> Res<Clock> {
    let number = crate::sys::c_int(vm, number)?;
    Clock::from_number(number)
        .ok_or_else(|| vm.os_error(pellucid_host::Error::os(pellucid_host::libc::EINVAL)))
}

fn clock_settime(vm: &Interpreter, clock: &Value, nanoseconds: i64) -> Res {
    let clock = clock_named(vm, clock)?;
    match vm.host().set_clock(clock, i128::from(nanoseconds)) {
        Ok(()) => Ok(Value::NONE),
        Err(error) => Err(vm.os_error(error)),
    }
}

/// `time.sleep`: lets other threads run; handlers of signals run at once, and then it goes on.
fn sleep(vm: &Interpreter, seconds: &Value) -> Res {
    let Ok(length) = u64::try_from(nanoseconds(vm, seconds, Round::Up)?) else {
        return Err(vm.value_error("sleep length must be non-negative".to_string()));
    };
    vm.audit("time.sleep", std::slice::from_ref(seconds))?;
    sleep_for(vm, Duration::from_nanos(length))?;
    Ok(Value::NONE)
}

/// Sleeps that long, whatever signals come. Errors: those of handlers, `OSError`.
pub fn sleep_for(vm: &Interpreter, length: Duration) -> Res<()> {
    let end = read(vm, Clock::Monotonic)? + length.as_nanos() as i128;
    let mut left = length;
    let host = vm.host();
    loop {
        match vm.allow_threads(|| host.sleep(left)) {
            Ok(()) => {}
            Err(error) if error.is_interrupted() => {}
            Err(error) => return Err(vm.os_error(error)),
        }
        vm.poll()?;
        // A timer of the system may count in coarser steps than the clock.
        match u64::try_from(end - read(vm, Clock::Monotonic)?) {
            Ok(rest) if rest > 0 => left = Duration::from_nanos(rest),
            _ => return Ok(()),
        }
    }
}

// ---- calendar ----

pub static STRUCT_TIME: StructSeqDef = StructSeqDef {
    ty: constructible(
        "struct_time",
        "time",
        "The time value as returned by gmtime(), localtime(), and strptime(), and\naccepted by asctime(), mktime() and strftime().",
    ),
    fields: &[
        ("tm_year", "year, for example, 1993"),
        ("tm_mon", "month of year, range [1, 12]"),
        ("tm_mday", "day of month, range [1, 31]"),
        ("tm_hour", "hours, range [0, 23]"),
        ("tm_min", "minutes, range [0, 59]"),
        ("tm_sec", "seconds, range [0, 61])"),
        ("tm_wday", "day of week, range [0, 6], Monday is 0"),
        ("tm_yday", "day of year, range [1, 366]"),
        ("tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"),
        ("tm_zone", "abbreviation of timezone name"),
        ("tm_gmtoff", "offset from UTC in seconds"),
    ],
    visible: 9,
};

fn new_struct_time(vm: &Interpreter, t: &LocalTime) -> Res {
    let int = |i: i32| vm.new_int(i64::from(i));
    let values = vec![
        vm.new_int(t.year)?,
        int(t.month)?,
        int(t.day)?,
        int(t.hour)?,
        int(t.minute)?,
        int(t.second)?,
        int(t.weekday)?,
        int(t.day_of_year)?,
        int(t.dst)?,
        vm.fs_decode(&t.zone)?,
        vm.new_int(t.utc_offset)?,
    ];
    new_structseq(vm, &STRUCT_TIME, values)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day counted from 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// The time in Greenwich; `None` when the year does not fit 32 bits.
fn utc(seconds: i64) -> Option<LocalTime> {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as i32);
    let (year, month, day) = civil_from_days(days);
    i32::try_from(year - 1900).ok()?;
    Some(LocalTime {
        year,
        month: month as i32,
        day: day as i32,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday: (days + 3).rem_euclid(7) as i32,
        day_of_year: (days - days_from_civil(year, 1, 1)) as i32 + 1,
        dst: 0,
        utc_offset: 0,
        zone: b"UTC".to_vec(),
    })
}

fn overflow() -> pellucid_host::Error {
    pellucid_host::Error::os(pellucid_host::libc::EOVERFLOW)
}

fn gmtime(vm: &Interpreter, args: &Args) -> Res {
    let time = utc(whole_seconds(vm, args.get(0))?).ok_or_else(|| vm.os_error(overflow()))?;
    new_struct_time(vm, &time)
}

fn local(vm: &Interpreter, value: Option<&Value>) -> Res<LocalTime> {
    let seconds = whole_seconds(vm, value)?;
    vm.host().local_time(seconds).map_err(|error| vm.os_error(error))
}

/// The fields of a time given as a tuple. Errors: `TypeError`, `OverflowError`.
fn from_tuple(vm: &Interpreter, value: &Value, function: &str) -> Res<LocalTime> {
    let Some(items) = value.downcast::<Tuple>().map(Tuple::items) else {
        return Err(vm.type_error("Tuple or struct_time argument required".to_string()));
    };
    let illegal = || vm.type_error(format!("{function}(): illegal time tuple argument"));
    if items.len() != 9 {
        return Err(illegal());
    }
    let mut numbers = [0i32; 9];
    for (place, item) in numbers.iter_mut().zip(&items) {
        *place = match item.as_int() {
            Some(IntRef::Small(_)) => crate::sys::c_int(vm, item)?,
            _ => crate::sys::c_int(vm, item)?,
        };
    }
    let [year, month, day, hour, minute, second, weekday, day_of_year, dst] = numbers;
    if i64::from(year) - 1900 < i64::from(i32::MIN) {
        return Err(vm.overflow_error("year out of range".to_string()));
    }
    let mut time = LocalTime {
        year: i64::from(year),
        month,
        day,
        hour,
        minute,
        second,
        weekday,
        day_of_year,
        dst,
        utc_offset: 0,
        zone: Vec::new(),
    };
    if vm.is_instance(value, &structseq_type(vm, &STRUCT_TIME)?) {
        let zone = vm.get_attr_str(value, "tm_zone")?;
        if zone.downcast::<Str>().is_some() {
            time.zone = vm.fs_encode(&zone)?;
        }
        let offset = vm.get_attr_str(value, "tm_gmtoff")?;
        if let Some(offset) = vm.as_i64(&offset) {
            time.utc_offset = offset;
        }
    }
    Ok(time)
}

/// Zeroes where they are allowed mean the first; other values out of range are errors.
fn check_fields(vm: &Interpreter, t: &mut LocalTime) -> Res<()> {
    if t.month == 0 {
        t.month = 1;
    }
    if t.day == 0 {
        t.day = 1;
    }
    if t.day_of_year == 0 {
        t.day_of_year = 1;
    }
    let weekday = if t.weekday < 0 { t.weekday } else { t.weekday % 7 };
    let wrong = [
        (!(1..=12).contains(&t.month), "month out of range"),
        (!(1..=31).contains(&t.day), "day of month out of range"),
        (!(0..=23).contains(&t.hour), "hour out of range"),
        (!(0..=59).contains(&t.minute), "minute out of range"),
        (!(0..=61).contains(&t.second), "seconds out of range"),
        // The week of C begins on Sunday, and its -1 is the day before.
        (weekday < -1, "day of week out of range"),
        (!(1..=366).contains(&t.day_of_year), "day of year out of range"),
    ];
    t.weekday = if weekday < 0 { 6 } else { weekday };
    match wrong.into_iter().find(|(is, _)| *is) {
        Some((_, message)) => Err(vm.value_error(message.to_string())),
        None => Ok(()),
    }
}

fn mktime(vm: &Interpreter, tuple: &Value) -> Res {
    let time = from_tuple(vm, tuple, "mktime")?;
    match vm.host().make_time(&time) {
        Ok(seconds) => vm.new_float(seconds as f64),
        Err(error) if error.errno == pellucid_host::libc::EOVERFLOW => {
            Err(vm.overflow_error("mktime argument out of range".to_string()))
        }
        Err(error) => Err(vm.os_error(error)),
    }
}

fn asctime_text(vm: &Interpreter, t: &LocalTime) -> Res {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = DAYS.get(t.weekday as usize % 7).copied().unwrap_or_default();
    let month = MONTHS.get((t.month - 1) as usize % 12).copied().unwrap_or_default();
    let LocalTime { day: of_month, hour, minute, second, year, .. } = t;
    vm.new_str(&format!("{day} {month} {of_month:2} {hour:02}:{minute:02}:{second:02} {year}"))
}

fn asctime(vm: &Interpreter, args: &Args) -> Res {
    match args.get(0) {
        Some(tuple) => {
            let mut time = from_tuple(vm, tuple, "asctime")?;
            check_fields(vm, &mut time)?;
            asctime_text(vm, &time)
        }
        None => asctime_text(vm, &local(vm, None)?),
    }
}

fn strftime(vm: &Interpreter, args: &Args) -> Res {
    let format = args.req(0);
    if format.downcast::<Str>().is_none() {
        let name = vm.type_name(format);
        return Err(vm.type_error(format!("strftime() argument 1 must be str, not {name}")));
    }
    let mut time = match args.get(1) {
        Some(tuple) => from_tuple(vm, tuple, "strftime")?,
        None => local(vm, None)?,
    };
    check_fields(vm, &mut time)?;
    time.dst = time.dst.clamp(-1, 1);
    let bytes = vm.fs_encode(format)?;
    // Zeroes cannot pass through the C library: what stands between them is formatted by itself.
    let mut text = Vec::new();
    for (index, part) in bytes.split(|byte| *byte == 0).enumerate() {
        if index > 0 {
            text.push(0);
        }
        if !part.is_empty() {
            let piece = vm.host().format_time(part, &time).map_err(|error| vm.os_error(error))?;
            text.extend(piece);
        }
    }
    vm.fs_decode(&text)
}

fn strptime(vm: &Interpreter, args: &Args) -> Res {
    let module = vm.import("_strptime")?;
    let given: Vec<Value> = [args.get(0), args.get(1)].into_iter().flatten().cloned().collect();
    vm.call_attr(&module, "_strptime_time", &given)
}

/// Zone offsets and names around the year's beginning and middle: `timezone`, `altzone`, `daylight`, `tzname`.
fn zone_attributes(vm: &Interpreter) -> Res<[(&'static str, Value); 4]> {
    const YEAR: i64 = (365 * 24 + 6) * 3600;
    let denied = |error| vm.os_error(error);
    if !vm.host().grants(pellucid_host::Capability::Clock) {
        let zone = vm.new_str("UTC")?;
        let names = vm.new_tuple(vec![zone.clone(), zone])?;
        let zero = vm.new_int(0)?;
        return Ok([
            ("timezone", zero.clone()),
            ("altzone", zero.clone()),
            ("daylight", zero),
            ("tzname", names),
        ]);
    }
    let now = i64::try_from(read(vm, Clock::Realtime)? / SECOND).unwrap_or(0);
    let january = vm.host().local_time(now / YEAR * YEAR).map_err(denied)?;
    let july = vm.host().local_time(now / YEAR * YEAR + YEAR / 2).map_err(denied)?;
    // In the south summer is in January.
    let (standard, summer) =
        if january.utc_offset < july.utc_offset { (&january, &july) } else { (&july, &january) };
    let names = vm.new_tuple(vec![vm.fs_decode(&standard.zone)?, vm.fs_decode(&summer.zone)?])?;
    Ok([
        ("timezone", vm.new_int(-standard.utc_offset)?),
        ("altzone", vm.new_int(-summer.utc_offset)?),
        ("daylight", vm.new_int(i64::from(january.utc_offset != july.utc_offset))?),
        ("tzname", names),
    ])
}

fn set_zone_attributes(vm: &Interpreter, module: &Value) -> Res<()> {
    zone_attributes(vm)?.into_iter().try_for_each(|(name, value)| vm.set_attr_str(module, name, value))
}

fn tzset(vm: &Interpreter) -> Res {
    vm.host().set_zone().map_err(|error| vm.os_error(error))?;
    let module = vm.import("time")?;
    set_zone_attributes(vm, &module)?;
    Ok(Value::NONE)
}

fn get_clock_info(vm: &Interpreter, name: &Value) -> Res {
    let name = vm.expect_str(name)?;
    let (clock, function, adjustable) = match name.as_str() {
        "time" => (Clock::Realtime, "clock_gettime(CLOCK_REALTIME)", true),
        "monotonic" | "perf_counter" => (Clock::Monotonic, "clock_gettime(CLOCK_MONOTONIC)", false),
        "process_time" => (Clock::Process, "clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", false),
        "thread_time" => (Clock::Thread, "clock_gettime(CLOCK_THREAD_CPUTIME_ID)", false),
        _ => return Err(vm.value_error("unknown clock".to_string())),
    };
    let resolution = vm.host().clock_resolution(clock).map_err(|error| vm.os_error(error))?;
    let fields = [
        ("implementation", vm.new_str(function)?),
        ("monotonic", Value::bool(!adjustable)),
        ("adjustable", Value::bool(adjustable)),
        ("resolution", as_seconds(vm, resolution)?),
    ];
    let dict = vm.new_dict()?;
    for (name, value) in fields {
        dict.set(vm, vm.intern(name)?, value)?;
    }
    crate::sys::new_namespace(vm, &dict)
}

macro_rules! clock {
    ($name:literal, $ns:literal, $clock:ident, $doc:literal) => {
        [
            FunctionDef::new($name, "()", $doc, NativeFn::F0(|vm| as_seconds(vm, read(vm, Clock::$clock)?))),
            FunctionDef::new($ns, "()", $doc, NativeFn::F0(|vm| as_int(vm, read(vm, Clock::$clock)?))),
        ]
    };
}

const TIME: [FunctionDef; 2] =
    clock!("time", "time_ns", Realtime, "Return the current time in seconds since the Epoch.");
const MONOTONIC: [FunctionDef; 2] =
    clock!("monotonic", "monotonic_ns", Monotonic, "Monotonic clock, cannot go backward.");
const PERF_COUNTER: [FunctionDef; 2] =
    clock!("perf_counter", "perf_counter_ns", Monotonic, "Performance counter for benchmarking.");
const PROCESS: [FunctionDef; 2] =
    clock!("process_time", "process_time_ns", Process, "Process time for profiling.");
const THREAD: [FunctionDef; 2] =
    clock!("thread_time", "thread_time_ns", Thread, "Thread time for profiling.");

macro_rules! clock_number {
    ($name:literal, $clock:ident) => {
        constant($name, |vm| vm.new_int(i64::from(Clock::$clock.number())))
    };
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "time",
    doc: "Clocks, sleeping, and times as the calendar shows them.",
    functions: &[
        first(TIME),
        second(TIME),
        first(MONOTONIC),
        second(MONOTONIC),
        first(PERF_COUNTER),
        second(PERF_COUNTER),
        first(PROCESS),
        second(PROCESS),
        first(THREAD),
        second(THREAD),
        FunctionDef::new(
            "sleep",
            "(object, /)",
            "Delay execution for a given number of seconds.",
            NativeFn::F1(sleep),
        ),
        FunctionDef::new(
            "clock_gettime",
            "(clk_id, /)",
            "Return the time of the specified clock clk_id as a float.",
            NativeFn::F1(|vm, clock| as_seconds(vm, read(vm, clock_named(vm, clock)?)?)),
        ),
        FunctionDef::new(
            "clock_gettime_ns",
            "(clk_id, /)",
            "Return the time of the specified clock clk_id as nanoseconds (int).",
            NativeFn::F1(|vm, clock| as_int(vm, read(vm, clock_named(vm, clock)?)?)),
        ),
        FunctionDef::new(
            "clock_getres",
            "(clk_id, /)",
            "Return the resolution (precision) of the specified clock clk_id.",
            NativeFn::F1(|vm, clock| {
                let resolution = vm.host().clock_resolution(clock_named(vm, clock)?);
                as_seconds(vm, resolution.map_err(|error| vm.os_error(error))?)
            }),
        ),
        FunctionDef::new(
            "clock_settime",
            "(clk_id, time, /)",
            "Set the time of the specified clock clk_id.",
            NativeFn::F2(|vm, clock, time| clock_settime(vm, clock, nanoseconds(vm, time, Round::Floor)?)),
        ),
        FunctionDef::new(
            "clock_settime_ns",
            "(clk_id, time, /)",
            "Set the time of the specified clock clk_id with nanoseconds.",
            NativeFn::F2(|vm, clock, time| clock_settime(vm, clock, vm.expect_i64(time)?)),
        ),
        FunctionDef::new(
            "gmtime",
            "(seconds=None, /)",
            "Convert seconds since the Epoch to a time tuple expressing UTC.",
            NativeFn::Args(gmtime),
        ),
        FunctionDef::new(
            "localtime",
            "(seconds=None, /)",
            "Convert seconds since the Epoch to a time tuple expressing local time.",
            NativeFn::Args(|vm, args| new_struct_time(vm, &local(vm, args.get(0))?)),
        ),
        FunctionDef::new(
            "mktime",
            "(object, /)",
            "Convert a time tuple in local time to seconds since the Epoch.",
            NativeFn::F1(mktime),
        ),
        FunctionDef::new(
            "asctime",
            "(tuple=None, /)",
            "Convert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.",
            NativeFn::Args(asctime),
        ),
        FunctionDef::new(
            "ctime",
            "(seconds=None, /)",
            "Convert a time in seconds since the Epoch to a string in local time.",
            NativeFn::Args(|vm, args| asctime_text(vm, &local(vm, args.get(0))?)),
        ),
        FunctionDef::new(
            "strftime",
            "(format, tuple=None, /)",
            "Convert a time tuple to a string according to a format specification.",
            NativeFn::Args(strftime),
        ),
        FunctionDef::new(
            "strptime",
            "(string, format=None, /)",
            "Parse a string to a time tuple according to a format specification.",
            NativeFn::Args(strptime),
        ),
        FunctionDef::new(
            "tzset",
            "()",
            "Initialize, or reinitialize, the local timezone.",
            NativeFn::F0(tzset),
        ),
        FunctionDef::new(
            "get_clock_info",
            "(name, /)",
            "Get information of the specified clock.",
            NativeFn::F1(get_clock_info),
        ),
    ],
    types: &[],
    constants: &[
        constant("struct_time", |vm| Ok(structseq_type(vm, &STRUCT_TIME)?.into_value())),
        constant("_STRUCT_TM_ITEMS", |vm| vm.new_int(11)),
        clock_number!("CLOCK_REALTIME", Realtime),
        clock_number!("CLOCK_MONOTONIC", Monotonic),
        clock_number!("CLOCK_MONOTONIC_RAW", MonotonicRaw),
        clock_number!("CLOCK_PROCESS_CPUTIME_ID", Process),
        clock_number!("CLOCK_THREAD_CPUTIME_ID", Thread),
        clock_number!("CLOCK_BOOTTIME", Boot),
    ],
    init: Some(set_zone_attributes),
};

const fn first([one, _]: [FunctionDef; 2]) -> FunctionDef {
    one
}

const fn second([_, two]: [FunctionDef; 2]) -> FunctionDef {
    two
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_reaches_both_ways() {
        let at = |seconds| utc(seconds).map(|t| (t.year, t.month, t.day, t.hour, t.weekday, t.day_of_year));
        assert_eq!(at(0), Some((1970, 1, 1, 0, 3, 1)));
        assert_eq!(at(951_782_400), Some((2000, 2, 29, 0, 1, 60)));
        assert_eq!(at(-1), Some((1969, 12, 31, 23, 2, 365)));
        assert_eq!(at(-62_167_219_200), Some((0, 1, 1, 0, 5, 1)));
        assert_eq!(at(i64::MAX), None);
    }
}
