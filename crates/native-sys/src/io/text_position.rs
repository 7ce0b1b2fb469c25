//! Positions of text streams: where in the bytes a character stands.
//!
//! A decoder may have to be in a certain state at a position, and a position may lie between two characters that one
//! chunk of bytes makes. The number that `tell` gives therefore holds, from its low bytes up (as CPython lays it
//! out): 8 bytes position of the bytes, 4 flags of the decoder, 4 number of bytes to feed, 4 number of characters to skip,
//! 1 whether the end has to be fed too. Mostly all but the first are 0.

use super::decoder::TextDecoder;
use super::text::{TextIo, flush_pending, forget_decoded, open, restart_encoder};
use super::unsupported;
use pellucid_object::int::{IBig, IntRef};
use pellucid_object::{Args, Bytes, Interpreter, Raised, Res, Str, Value};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cookie {
    start: u64,
    flags: u32,
    bytes_to_feed: u32,
    characters_to_skip: u32,
    needs_end: bool,
}

impl Cookie {
    fn pack(self, vm: &Interpreter) -> Res {
        let high = u128::from(self.flags)
            | u128::from(self.bytes_to_feed) << 32
            | u128::from(self.characters_to_skip) << 64
            | u128::from(self.needs_end) << 96;
        if high == 0 {
            return match i64::try_from(self.start) {
                Ok(start) => vm.new_int(start),
                Err(_) => vm.new_big(IBig::from(self.start)),
            };
        }
        vm.new_big((IBig::from(high) << 64) | IBig::from(self.start))
    }

    /// `None` for numbers that `tell` never gives.
    fn unpack(int: &IntRef) -> Option<Cookie> {
        let big = match int {
            IntRef::Small(start) => {
                return Some(Cookie { start: u64::try_from(*start).ok()?, ..Cookie::default() });
            }
            IntRef::Big(big) => *big,
        };
        let high = u128::try_from(&(big.clone() >> 64)).ok()?;
        let low = u64::try_from(&(big.clone() - (IBig::from(high) << 64))).ok()?;
        if high >> 104 != 0 {
            return None;
        }
        Some(Cookie {
            start: low,
            flags: high as u32,
            bytes_to_feed: (high >> 32) as u32,
            characters_to_skip: (high >> 64) as u32,
            needs_end: high >> 96 != 0,
        })
    }
}

fn length(text: &Value) -> usize {
    text.downcast::<Str>().map_or(0, |s| s.text.len())
}

fn no_position(vm: &Interpreter, text: &str) -> Raised {
    vm.raise_text(&vm.exceptions().os_error().clone(), text)
}

pub(super) fn tell(vm: &Interpreter, this: &Value) -> Res {
    let (me, buffer) = open(vm, this)?;
    if !me.seekable.get() {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    if !me.telling.get() {
        return Err(no_position(vm, "telling position disabled by next() call"));
    }
    flush_pending(vm, me, &buffer)?;
    vm.call_attr(this, "flush", &[])?;
    let position = vm.call_attr(&buffer, "tell", &[])?;
    let decoder = me.decoder.borrow().clone();
    let (Some(decoder), Some((flags, input))) = (decoder, me.snapshot.borrow().clone()) else {
        return Ok(position);
    };
    let position = vm.expect_i64(&position)?;
    let Ok(start) = u64::try_from(position - input.len() as i64) else {
        return Err(no_position(vm, "can't reconstruct logical file position"));
    };
    let cookie = Cookie { start, flags: flags as u32, ..Cookie::default() };
    let skip = me.used.get();
    if skip == 0 || me.decoded.get().is_none() {
        return cookie.pack(vm);
    }
    let saved = decoder.state(vm)?;
    let found = locate(vm, me, &decoder, cookie, flags, &input, skip);
    decoder.set_state(vm, saved)?;
    found?.pack(vm)
}

/// Finds where in `input` the character `skip` characters on begins.
fn locate(
    vm: &Interpreter,
    me: &TextIo,
    decoder: &TextDecoder,
    cookie: Cookie,
    flags: i64,
    input: &[u8],
    skip: usize,
) -> Res<Cookie> {
    let (mut flags, mut skip) = (flags, skip);
    // A good guess first: from some byte near by on which the decoder holds nothing back.
    let mut guess = ((me.bytes_per_character.get() * skip as f64) as usize).min(input.len());
    let mut back = 1;
    loop {
        if guess == 0 {
            decoder.set_state(vm, (Vec::new(), flags))?;
            break;
        }
        decoder.set_state(vm, (Vec::new(), flags))?;
        let got = length(&decoder.decode(vm, input[..guess].to_vec(), false)?);
        if got <= skip {
            let (held, now) = decoder.state(vm)?;
            if held.is_empty() {
                (flags, skip) = (now, skip - got);
                break;
            }
            guess = guess.saturating_sub(held.len());
            back = 1;
        } else {
            guess = guess.saturating_sub(back);
            back *= 2;
        }
    }
    let mut result = Cookie { start: cookie.start + guess as u64, flags: flags as u32, ..cookie };
    if skip == 0 {
        return Ok(result);
    }
    // Then byte by byte, remembering the last place from which it is safe to start.
    let (mut fed, mut got, mut ended) = (0u32, 0, true);
    for byte in &input[guess..] {
        fed += 1;
        got += length(&decoder.decode(vm, vec![*byte], false)?);
        let (held, now) = decoder.state(vm)?;
        if held.is_empty() && got <= skip {
            result.start += u64::from(fed);
            result.flags = now as u32;
            skip -= got;
            (fed, got) = (0, 0);
        }
        if got >= skip {
            ended = false;
            break;
        }
    }
    if ended {
        got += length(&decoder.decode(vm, Vec::new(), true)?);
        result.needs_end = true;
        if got < skip {
            return Err(no_position(vm, "can't reconstruct logical file position"));
        }
    }
    result.bytes_to_feed = fed;
    result.characters_to_skip = skip as u32;
    Ok(result)
}

pub(super) fn seek(vm: &Interpreter, args: &Args) -> Res {
    let this = args.req(0);
    let (me, buffer) = open(vm, this)?;
    let mut target = args.req(1).clone();
    let whence = args.int_or(vm, 2, 0)?;
    if !me.seekable.get() {
        return Err(unsupported(vm, "underlying stream is not seekable"));
    }
    let zero = vm.new_int(0)?;
    match whence {
        0 => {}
        1 => {
            if !vm.keys_equal(&target, &zero)? {
                return Err(unsupported(vm, "can't do nonzero cur-relative seeks"));
            }
            // The same position, but what was read ahead is given up.
            vm.call_attr(this, "flush", &[])?;
            target = vm.call_attr(this, "tell", &[])?;
        }
        2 => {
            if !vm.keys_equal(&target, &zero)? {
                return Err(unsupported(vm, "can't do nonzero end-relative seeks"));
            }
            return seek_to_end(vm, this, me, &buffer);
        }
        _ => {
            return Err(vm.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)")));
        }
    }
    let number = vm.index(&target)?;
    let Some(int) = number.as_int() else { return Err(vm.bug("an index is an int")) };
    let negative = match &int {
        IntRef::Small(i) => *i < 0,
        IntRef::Big(big) => **big < IBig::ZERO,
    };
    if negative {
        return Err(vm.value_error(format!("negative seek position {}", vm.repr_lossy(&number)?)));
    }
    let Some(cookie) = Cookie::unpack(&int) else {
        return Err(vm.overflow_error("int too big to convert".to_string()));
    };
    vm.call_attr(this, "flush", &[])?;
    restore(vm, me, &buffer, cookie)?;
    Ok(number)
}

fn seek_to_end(vm: &Interpreter, this: &Value, me: &TextIo, buffer: &Value) -> Res {
    vm.call_attr(this, "flush", &[])?;
    forget_decoded(me);
    me.snapshot.replace(None);
    let decoder = me.decoder.borrow().clone();
    if let Some(decoder) = decoder {
        decoder.reset(vm)?;
    }
    let position = vm.call_attr(buffer, "seek", &[vm.new_int(0)?, vm.new_int(2)?])?;
    let at_start = vm.keys_equal(&position, &vm.new_int(0)?)?;
    restart_encoder(vm, me, at_start)?;
    Ok(position)
}

/// Puts the stream where a cookie says.
fn restore(vm: &Interpreter, me: &TextIo, buffer: &Value, cookie: Cookie) -> Res<()> {
    let start = match i64::try_from(cookie.start) {
        Ok(start) => vm.new_int(start)?,
        Err(_) => vm.new_big(IBig::from(cookie.start))?,
    };
    vm.call_attr(buffer, "seek", &[start])?;
    forget_decoded(me);
    me.snapshot.replace(None);
    let at_start = cookie.start == 0 && cookie.flags == 0;
    let decoder = me.decoder.borrow().clone();
    if let Some(decoder) = &decoder {
        if at_start {
            decoder.reset(vm)?;
        } else {
            decoder.set_state(vm, (Vec::new(), i64::from(cookie.flags)))?;
        }
    }
    if cookie.characters_to_skip > 0 {
        let Some(decoder) = &decoder else {
            return Err(no_position(vm, "can't restore logical file position"));
        };
        let data = vm.call_attr(buffer, "read", &[vm.new_int(i64::from(cookie.bytes_to_feed))?])?;
        let Some(bytes) = data.downcast::<Bytes>() else {
            let name = vm.type_name(&data);
            return Err(
                vm.type_error(format!("underlying read() should have returned a bytes object, not '{name}'"))
            );
        };
        let bytes = bytes.as_slice().to_vec();
        me.snapshot.replace(Some((i64::from(cookie.flags), bytes.clone())));
        let text = decoder.decode(vm, bytes, cookie.needs_end)?;
        let got = length(&text);
        me.decoded.set(Some(text));
        if got < cookie.characters_to_skip as usize {
            return Err(no_position(vm, "can't restore logical file position"));
        }
        me.used.set(cookie.characters_to_skip as usize);
    } else {
        me.snapshot.replace(Some((i64::from(cookie.flags), Vec::new())));
    }
    restart_encoder(vm, me, at_start)
}
