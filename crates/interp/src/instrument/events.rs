//! The events of PEP 669, by their numbers.

macro_rules! events {
    ($($name:ident $text:literal $number:literal,)*) => {
        $(pub const $name: u8 = $number;)*
        /// Names and numbers, as `sys.monitoring.events` has them.
        pub const NAMES: &[(&str, u8)] = &[$(($text, $number)),*];
    };
}

events! {
    PY_START "PY_START" 0,
    PY_RESUME "PY_RESUME" 1,
    PY_RETURN "PY_RETURN" 2,
    PY_YIELD "PY_YIELD" 3,
    CALL "CALL" 4,
    LINE "LINE" 5,
    INSTRUCTION "INSTRUCTION" 6,
    JUMP "JUMP" 7,
    BRANCH_LEFT "BRANCH_LEFT" 8,
    BRANCH_RIGHT "BRANCH_RIGHT" 9,
    STOP_ITERATION "STOP_ITERATION" 10,
    RAISE "RAISE" 11,
    EXCEPTION_HANDLED "EXCEPTION_HANDLED" 12,
    PY_UNWIND "PY_UNWIND" 13,
    PY_THROW "PY_THROW" 14,
    RERAISE "RERAISE" 15,
    C_RETURN "C_RETURN" 16,
    C_RAISE "C_RAISE" 17,
    BRANCH "BRANCH" 18,
}

/// Events below can be wanted of one code object, and be switched off at one place.
pub const LOCAL: u8 = 11;
/// Events below are counted one by one; those above come with others.
pub const UNGROUPED: u8 = 16;
/// How many there are.
pub const COUNT: usize = 19;

/// Not an event of PEP 669: a jump backwards that stays on its line, which `sys.settrace` shows as a line of its own.
pub const LOOP: u8 = 31;

/// The bit of an event in a set.
pub const fn bit(event: u8) -> u32 {
    1 << event
}

/// What an event is called.
pub fn name(event: u8) -> &'static str {
    NAMES.iter().find(|(_, number)| *number == event).map_or("?", |(name, _)| name)
}
