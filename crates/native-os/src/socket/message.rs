//! `recvmsg`, `sendmsg`: several buffers at once, and what goes beside the bytes.

use super::address::{make, parse};
use super::object::{Ready, fill, room, this, to_send};
use pellucid_host::{Control, Message, control_length, control_space};
use pellucid_native_sys::sys::c_int;
use pellucid_object::{Args, BytesLike, Interpreter, Raised, Res, Tuple, Value};

/// The items of an argument. Errors: `TypeError`.
fn items(vm: &Interpreter, value: &Value, words: &str) -> Res<Vec<Value>> {
    if vm.type_of(value).slots.iter.get().is_none() && vm.type_of(value).slots.getitem.get().is_none() {
        return Err(vm.type_error(words.to_string()));
    }
    vm.collect(value)
}

fn control_room(vm: &Interpreter, args: &Args) -> Res<usize> {
    let size = args.get(2).map_or(Ok(0), |size| vm.expect_i64(size))?;
    match usize::try_from(size) {
        Ok(size) if size <= i32::MAX as usize => Ok(size),
        _ => Err(vm.value_error("invalid ancillary data buffer length".to_string())),
    }
}

fn receive(vm: &Interpreter, args: &Args, buffers: &mut [Vec<u8>]) -> Res<Message> {
    let controls = control_room(vm, args)?;
    let flags = args.get(3).map_or(Ok(0), |flags| c_int(vm, flags))?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    socket.call(vm, Ready::Read, |fd| host.recv_message(fd, buffers, controls, flags))
}

/// (data or its length, controls, flags, address).
fn answer(vm: &Interpreter, first: Value, message: &Message) -> Res {
    let control = |control: &Control| {
        vm.new_tuple(vec![
            vm.new_int(control.level.into())?,
            vm.new_int(control.kind.into())?,
            vm.new_bytes(control.bytes.clone())?,
        ])
    };
    let controls = message.controls.iter().map(control).collect::<Res<Vec<_>>>()?;
    vm.new_tuple(vec![
        first,
        vm.new_list(controls)?,
        vm.new_int(message.flags.into())?,
        make(vm, &message.from)?,
    ])
}

pub fn recvmsg(vm: &Interpreter, args: &Args) -> Res {
    let size = vm.expect_i64(args.req(1))?;
    let Ok(size) = usize::try_from(size) else {
        return Err(vm.value_error("negative buffer size in recvmsg()".to_string()));
    };
    let mut buffers = [room(vm, size)?];
    let message = receive(vm, args, &mut buffers)?;
    let [mut bytes] = buffers;
    bytes.truncate(message.length);
    answer(vm, vm.new_bytes(bytes)?, &message)
}

pub fn recvmsg_into(vm: &Interpreter, args: &Args) -> Res {
    let items = items(vm, args.req(1), "recvmsg_into() argument 1 must be an iterable")?;
    if items.len() > i32::MAX as usize {
        return Err(too_long(vm, "recvmsg_into() argument 1 is too long"));
    }
    let places =
        items.iter().map(|item| vm.writable_bytes(item, "recvmsg_into")).collect::<Res<Vec<BytesLike>>>()?;
    let mut buffers = places.iter().map(|place| room(vm, place.len())).collect::<Res<Vec<_>>>()?;
    let message = receive(vm, args, &mut buffers)?;
    let mut left = message.length;
    for (place, bytes) in places.iter().zip(&buffers) {
        let count = left.min(bytes.len());
        fill(place, &bytes[..count]);
        left -= count;
    }
    answer(vm, vm.new_int(message.length as i64)?, &message)
}

#[cold]
fn too_long(vm: &Interpreter, words: &str) -> Raised {
    vm.raise_text(&vm.exceptions().os_error().clone(), words)
}

fn controls(vm: &Interpreter, value: Option<&Value>) -> Res<Vec<Control>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let mut result = Vec::new();
    for item in items(vm, value, "sendmsg() argument 2 must be an iterable")? {
        let parts = match item.downcast::<Tuple>() {
            Some(tuple) => tuple.items(),
            None => {
                let got = vm.type_name(&item);
                return Err(vm.type_error(format!(
                    "[sendmsg() ancillary data items] must be 3-item sequence, not {got}"
                )));
            }
        };
        let [level, kind, bytes] = &parts[..] else {
            let count = parts.len();
            return Err(vm.type_error(format!(
                "[sendmsg() ancillary data items] must be sequence of length 3, not {count}"
            )));
        };
        let control =
            Control { level: c_int(vm, level)?, kind: c_int(vm, kind)?, bytes: to_send(vm, bytes)? };
        if control_space(control.bytes.len()).is_none() {
            return Err(too_long(vm, "ancillary data item too large"));
        }
        result.push(control);
    }
    Ok(result)
}

pub fn sendmsg(vm: &Interpreter, args: &Args) -> Res {
    let buffers = items(vm, args.req(1), "sendmsg() argument 1 must be an iterable")?
        .iter()
        .map(|item| to_send(vm, item))
        .collect::<Res<Vec<_>>>()?;
    let controls = controls(vm, args.get(2))?;
    let flags = args.get(3).map_or(Ok(0), |flags| c_int(vm, flags))?;
    let (host, socket) = (vm.host(), this(vm, args.req(0))?);
    let target = match args.some(4) {
        None => None,
        Some(address) => {
            let target = parse(vm, socket.family(), address, "sendmsg")?;
            vm.audit("socket.sendmsg", &[args.req(0).clone(), address.clone()])?;
            Some(target)
        }
    };
    let count = socket
        .call(vm, Ready::Write, |fd| host.send_message(fd, &buffers, &controls, flags, target.as_ref()))?;
    vm.new_int(count as i64)
}

fn size_of(vm: &Interpreter, length: &Value, function: &str, size: fn(usize) -> Option<usize>) -> Res {
    let length = usize::try_from(vm.expect_i64(length)?).ok();
    match length.and_then(size) {
        Some(size) => vm.new_int(size as i64),
        None => Err(vm.overflow_error(format!("{function}() argument out of range"))),
    }
}

pub fn cmsg_len(vm: &Interpreter, length: &Value) -> Res {
    size_of(vm, length, "CMSG_LEN", control_length)
}

pub fn cmsg_space(vm: &Interpreter, length: &Value) -> Res {
    size_of(vm, length, "CMSG_SPACE", control_space)
}
