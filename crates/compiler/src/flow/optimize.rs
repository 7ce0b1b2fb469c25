//! The passes between code generation and assembly.

use super::{BlockId, ConstTable, ENTRY, Graph, Instr};
use crate::place::Place;
use pellucid_bytecode::Op;

/// The longest exit that is copied to where it is jumped to from.
const MAX_COPY: usize = 4;

impl Graph {
    /// Optimises, and gives each exit a line.
    pub fn optimize(&mut self, consts: &mut dyn ConstTable, first_line: u32) {
        self.mark_ends();
        for id in (0..self.blocks.len()).rev() {
            self.extend(id);
        }
        for id in self.order().collect::<Vec<_>>() {
            self.optimize_block(id, consts);
            self.remove_nops(id, Place::NO_LINE);
        }
        for id in (0..self.blocks.len()).rev() {
            self.extend(id);
        }
        self.mark_reachable();
        for id in self.order().collect::<Vec<_>>() {
            let block = &mut self.blocks[id];
            if block.predecessors == 0 {
                block.instrs.clear();
                block.no_fallthrough = false;
            }
        }
        let mut before: Option<BlockId> = None;
        for id in self.order().collect::<Vec<_>>() {
            let line =
                before.and_then(|b| self.blocks[b].instrs.last()).map_or(Place::NO_LINE, |i| i.place.line);
            self.remove_nops(id, line);
            before = (!self.blocks[id].no_fallthrough).then_some(id);
        }
        self.skip_empty_blocks();
        if self.remove_jumps_to_next() {
            self.skip_empty_blocks();
        }
        self.duplicate_exits();
        self.trim_consts(consts);
        self.propagate_lines();
        self.line_for_exits(first_line);
    }

    /// Notes how blocks end, and lets no jump go to an empty one.
    fn mark_ends(&mut self) {
        for id in 0..self.blocks.len() {
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            let block = &mut self.blocks[id];
            block.exit |= last.leaves();
            block.no_fallthrough |= last.leaves() || last.is_unconditional_jump();
        }
        for id in 0..self.blocks.len() {
            let target =
                self.blocks[id].instrs.last().filter(|last| last.is_real_jump()).and_then(|i| i.target);
            if let Some(target) = target.map(|target| self.filled(target))
                && let Some(last) = self.blocks[id].instrs.last_mut()
            {
                last.target = Some(target);
            }
        }
    }

    /// The first block from `id` on that has instructions. Blocks lose instructions but empty ones get none, so that the
    /// way found is kept: there may be as many jumps to the first of a row of empty blocks as there are blocks.
    fn filled(&mut self, id: BlockId) -> BlockId {
        let mut found = id;
        while self.blocks[found].instrs.is_empty()
            && let Some(next) = self.blocks[found].skip.or(self.blocks[found].next)
        {
            found = next;
        }
        let mut at = id;
        while at != found {
            let block = &mut self.blocks[at];
            let Some(next) = block.skip.replace(found).or(block.next) else { break };
            at = next;
        }
        found
    }

    fn optimize_block(&mut self, id: BlockId, consts: &mut dyn ConstTable) {
        let mut i = 0;
        while i < self.blocks[id].instrs.len() {
            let mut instr = self.blocks[id].instrs[i];
            let target = match instr.target {
                Some(target) => {
                    let target = self.filled(target);
                    self.blocks[id].instrs[i].target = Some(target);
                    instr.target = Some(target);
                    self.blocks[target].instrs.first().copied()
                }
                None => None,
            };
            let again = match instr.op {
                Op::LoadConst => {
                    self.constant_condition(id, i, consts);
                    false
                }
                Op::BuildTuple => {
                    self.tuple(id, i, consts);
                    false
                }
                Op::RotN => {
                    self.rotation(id, i);
                    false
                }
                _ => match target {
                    Some(target) => self.thread(id, i, instr, target),
                    None => false,
                },
            };
            if !again {
                i += 1;
            }
        }
    }

    /// A jump that depends on a constant.
    fn constant_condition(&mut self, id: BlockId, i: usize, consts: &mut dyn ConstTable) {
        let block = &mut self.blocks[id];
        let [load, jump, ..] = &mut block.instrs[i..] else { return };
        let (if_true, keeps) = match jump.op {
            Op::PopJumpIfFalse => (false, false),
            Op::PopJumpIfTrue => (true, false),
            Op::JumpIfFalseOrPop => (false, true),
            Op::JumpIfTrueOrPop => (true, true),
            _ => return,
        };
        let jumps = consts.truth(load.arg) == if_true;
        if !(jumps && keeps) {
            load.op = Op::Nop;
        }
        if jumps {
            jump.op = Op::JumpAbsolute;
            block.no_fallthrough = true;
        } else {
            jump.op = Op::Nop;
            jump.target = None;
        }
    }

    /// A tuple that is taken apart at once, or made of constants.
    fn tuple(&mut self, id: BlockId, i: usize, consts: &mut dyn ConstTable) {
        let instrs = &mut self.blocks[id].instrs;
        let count = instrs[i].arg;
        if let Some(next) = instrs.get(i + 1)
            && next.op == Op::UnpackSequence
            && next.arg == count
        {
            let (first, second) = match count {
                1 => (Op::Nop, Op::Nop),
                2 => (Op::RotTwo, Op::Nop),
                3 => (Op::RotThree, Op::RotTwo),
                _ => return,
            };
            instrs[i].op = first;
            instrs[i + 1].op = second;
            return;
        }
        let Some(start) = i.checked_sub(count as usize) else { return };
        if instrs[start..i].iter().all(|load| load.op == Op::LoadConst) {
            let items: Vec<u32> = instrs[start..i].iter().map(|load| load.arg).collect();
            instrs[start..i].iter_mut().for_each(|load| load.op = Op::Nop);
            instrs[i].op = Op::LoadConst;
            instrs[i].arg = consts.tuple(&items);
        }
    }

    fn rotation(&mut self, id: BlockId, i: usize) {
        let instrs = &mut self.blocks[id].instrs;
        let count = instrs[i].arg;
        instrs[i].op = match count {
            0 | 1 => Op::Nop,
            2 => Op::RotTwo,
            3 => Op::RotThree,
            4 => Op::RotFour,
            _ => Op::RotN,
        };
        if count < 2 {
            return;
        }
        // As many rotations of n values as there are values change nothing.
        let Some(start) = (i + 1).checked_sub(count as usize) else { return };
        let size = |instr: &Instr| match instr.op {
            Op::RotN => instr.arg,
            Op::RotTwo => 2,
            Op::RotThree => 3,
            Op::RotFour => 4,
            _ => 0,
        };
        if instrs[start..=i].iter().all(|instr| size(instr) == count) {
            instrs[start..=i].iter_mut().for_each(|instr| instr.op = Op::Nop);
        }
    }

    /// Jumps to jumps. Returns whether the instruction should be looked at again.
    fn thread(&mut self, id: BlockId, i: usize, instr: Instr, target: Instr) -> bool {
        use Op::*;
        let same_line = instr.place.line == target.place.line;
        let same_test = |op| instr.op == op;
        match (instr.op, target.op) {
            (JumpIfFalseOrPop, PopJumpIfFalse) | (JumpIfTrueOrPop, PopJumpIfTrue) if same_line => {
                self.blocks[id].instrs[i] = target;
                true
            }
            (JumpIfFalseOrPop | JumpIfTrueOrPop, JumpAbsolute | JumpForward)
                if same_line && instr.target != target.target =>
            {
                self.blocks[id].instrs[i].target = target.target;
                true
            }
            (JumpIfFalseOrPop | JumpIfTrueOrPop, op)
                if same_test(op) && same_line && instr.target != target.target =>
            {
                self.blocks[id].instrs[i].target = target.target;
                true
            }
            (JumpIfFalseOrPop, JumpIfTrueOrPop) | (JumpIfTrueOrPop, JumpIfFalseOrPop) if same_line => {
                let Some(next) = instr.target.and_then(|t| self.blocks[t].next) else { return false };
                let jump = &mut self.blocks[id].instrs[i];
                jump.op = if instr.op == JumpIfFalseOrPop { PopJumpIfFalse } else { PopJumpIfTrue };
                jump.target = Some(next);
                true
            }
            (PopJumpIfFalse | PopJumpIfTrue, JumpAbsolute | JumpForward)
                if same_line && instr.target != target.target =>
            {
                self.blocks[id].instrs[i].target = target.target;
                true
            }
            (JumpAbsolute | JumpForward | ForIter, JumpForward) if same_line => {
                self.jump_further(id, instr.op, target);
                false
            }
            (JumpAbsolute | JumpForward, JumpAbsolute) if same_line => {
                self.jump_further(id, JumpAbsolute, target);
                false
            }
            _ => false,
        }
    }

    /// Replaces the jump at the end of a block by one to where its target jumps, of that one's line.
    fn jump_further(&mut self, id: BlockId, op: Op, target: Instr) {
        let instrs = &mut self.blocks[id].instrs;
        let Some(last) = instrs.last_mut() else { return };
        if last.target == target.target {
            return;
        }
        last.op = Op::Nop;
        last.target = None;
        instrs.push(Instr { op, ..target });
    }

    /// Removes NOPs that are not needed to make a line visible.
    fn remove_nops(&mut self, id: BlockId, mut before: i32) {
        // Looked for only where it counts: there may be many empty blocks in a row.
        let mut next =
            self.blocks[id].next.filter(|_| self.blocks[id].instrs.last().is_some_and(|i| i.op == Op::Nop));
        while let Some(block) = next.filter(|&b| self.blocks[b].instrs.is_empty()) {
            next = self.blocks[block].next;
        }
        let after = next.and_then(|b| self.blocks[b].instrs.first()).map(|i| i.place.line);
        let instrs = &mut self.blocks[id].instrs;
        let mut kept = 0;
        for i in 0..instrs.len() {
            let place = instrs[i].place;
            let line = place.line;
            if instrs[i].op == Op::Nop {
                if line < 0 || before == line {
                    continue;
                }
                match instrs.get_mut(i + 1) {
                    Some(following) => {
                        let next_line = following.place.line;
                        if next_line < 0 || next_line == line {
                            following.place.line = line;
                            if next_line < 0 {
                                following.place = place;
                            }
                            continue;
                        }
                    }
                    None if after == Some(line) => continue,
                    None => {}
                }
            }
            instrs[kept] = instrs[i];
            kept += 1;
            before = line;
        }
        instrs.truncate(kept);
    }

    /// Copies a short exit to the end of a block that jumps to it.
    fn extend(&mut self, id: BlockId) {
        let Some(last) = self.blocks[id].instrs.last().copied() else { return };
        let Some(target) = last.target.filter(|_| last.is_unconditional_jump()) else { return };
        if !self.blocks[target].exit || self.blocks[target].instrs.len() > MAX_COPY {
            return;
        }
        let copied = self.blocks[target].instrs.clone();
        let block = &mut self.blocks[id];
        if let Some(last) = block.instrs.last_mut() {
            last.op = Op::Nop;
            last.target = None;
        }
        block.instrs.extend(copied);
        block.exit = true;
    }

    fn mark_reachable(&mut self) {
        let mut todo = vec![ENTRY];
        self.blocks[ENTRY].predecessors = 1;
        while let Some(id) = todo.pop() {
            let falls_to = self.blocks[id].next.filter(|_| !self.blocks[id].no_fallthrough);
            let targets: Vec<BlockId> = self.blocks[id].instrs.iter().filter_map(|i| i.target).collect();
            for target in falls_to.into_iter().chain(targets) {
                if self.blocks[target].predecessors == 0 {
                    todo.push(target);
                }
                self.blocks[target].predecessors += 1;
            }
        }
    }

    fn skip_empty_blocks(&mut self) {
        let mut at = Some(ENTRY);
        while let Some(id) = at {
            if let Some(mut next) = self.blocks[id].next {
                while self.blocks[next].instrs.is_empty()
                    && let Some(following) = self.blocks[next].next
                {
                    next = following;
                }
                self.blocks[id].next = Some(next);
            }
            at = self.blocks[id].next;
        }
        for id in self.order().collect::<Vec<_>>() {
            if let Some(target) = self.blocks[id].instrs.last().and_then(|last| last.target) {
                let target = self.filled(target);
                if let Some(last) = self.blocks[id].instrs.last_mut() {
                    last.target = Some(target);
                }
            }
        }
    }

    /// Removes jumps to the block that follows. Returns whether there were any.
    fn remove_jumps_to_next(&mut self) -> bool {
        let mut any = false;
        for id in self.order().collect::<Vec<_>>() {
            let next = self.blocks[id].next;
            let Some(last) = self.blocks[id].instrs.last_mut() else { continue };
            if last.is_unconditional_jump() && last.target == next {
                last.op = Op::Nop;
                last.target = None;
                self.blocks[id].no_fallthrough = false;
                self.remove_nops(id, Place::NO_LINE);
                any = true;
            }
        }
        any
    }

    fn is_exit_without_line(&self, id: BlockId) -> bool {
        let block = &self.blocks[id];
        block.exit && block.instrs.first().is_some_and(|i| i.place.line < 0)
    }

    /// Gives each jump to an exit without a line a copy of its own.
    fn duplicate_exits(&mut self) {
        for id in (0..self.blocks.len()).rev() {
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            let Some(target) = last.target.filter(|_| last.is_real_jump()) else { continue };
            if !self.is_exit_without_line(target) || self.blocks[target].predecessors <= 1 {
                continue;
            }
            let mut copy = self.blocks[target].clone();
            copy.no_fallthrough = true;
            copy.predecessors = 1;
            if let Some(first) = copy.instrs.first_mut() {
                first.place = last.place;
            }
            let new = self.blocks.len();
            self.blocks.push(copy);
            self.blocks[target].predecessors -= 1;
            self.blocks[target].next = Some(new);
            if let Some(last) = self.blocks[id].instrs.last_mut() {
                last.target = Some(new);
            }
        }
        for id in (0..self.blocks.len()).rev() {
            if let Some(next) = self.blocks[id].next {
                let filled = self.filled(next);
                self.blocks[id].next = Some(filled).filter(|&block| !self.blocks[block].instrs.is_empty());
            }
        }
    }

    fn trim_consts(&mut self, consts: &mut dyn ConstTable) {
        let loads = self.in_order().flat_map(|block| &block.instrs).filter(|i| i.op == Op::LoadConst);
        let most = loads.map(|i| i.arg).max().unwrap_or(0);
        consts.truncate(most as usize + 1);
    }

    /// Instructions without a line take that of the one in front of them.
    fn propagate_lines(&mut self) {
        for id in self.order().collect::<Vec<_>>() {
            let mut before = Place::NONE;
            for instr in &mut self.blocks[id].instrs {
                if instr.place.line < 0 {
                    instr.place = before;
                } else {
                    before = instr.place;
                }
            }
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            if let Some(next) = self.blocks[id].next.filter(|_| !self.blocks[id].no_fallthrough) {
                self.inherit(next, before);
            }
            if let Some(target) = last.target.filter(|_| last.is_real_jump()) {
                self.inherit(target, before);
            }
        }
    }

    fn inherit(&mut self, id: BlockId, place: Place) {
        let block = &mut self.blocks[id];
        if block.predecessors == 1
            && let Some(first) = block.instrs.first_mut()
            && first.place.line < 0
        {
            first.place = place;
        }
    }

    fn line_for_exits(&mut self, first_line: u32) {
        let mut place = Place::line(first_line);
        for id in self.order().collect::<Vec<_>>() {
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            if last.place.line >= 0 {
                place = Place { line: last.place.line, range: None };
            } else if last.op == Op::ReturnValue {
                for instr in &mut self.blocks[id].instrs {
                    instr.place = place;
                }
            }
        }
    }
}
