//! Values of literals.

use dashu_int::IBig;
use pellucid_object::{Interpreter, Res};
use pellucid_syntax::ast::{Int, Number};

/// A builtin by name.
fn builtin(vm: &Interpreter, name: &str) -> Res {
    let found = match vm.builtins.get() {
        Some(namespace) => vm.get_item(&namespace, &vm.intern(name)?)?,
        None => return Err(vm.system_error(format!("no builtins to take {name} from"))),
    };
    Ok(found)
}

/// The value of a number literal.
pub fn number(vm: &Interpreter, number: &Number) -> Res {
    match number {
        Number::Int(int) => match int.as_i64() {
            Some(small) => vm.new_int(small),
            None => match big(int) {
                Some(big) => vm.new_big(big),
                None => Err(vm.bug("digits of an int literal")),
            },
        },
        Number::Float(float) => vm.new_float(*float),
        Number::Complex { real, imag } => {
            let parts = [vm.new_float(*real)?, vm.new_float(*imag)?];
            vm.call_values(&builtin(vm, "complex")?, &parts)
        }
    }
}

/// An int that the parser keeps as the text of its token.
fn big(int: &Int) -> Option<IBig> {
    let text = int.to_string().replace('_', "").to_ascii_lowercase();
    let radix = |digits: &str, radix| IBig::from_str_radix(digits, radix).ok();
    if let Some(digits) = text.strip_prefix("0x") {
        radix(digits, 16)
    } else if let Some(digits) = text.strip_prefix("0o") {
        radix(digits, 8)
    } else if let Some(digits) = text.strip_prefix("0b") {
        radix(digits, 2)
    } else {
        radix(&text, 10)
    }
}
