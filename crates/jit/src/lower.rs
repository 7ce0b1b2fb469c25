//! From the graph to Cranelift's form, and from there to machine code.

use crate::build::EXACT;
use crate::exit::{self, Kind, Way, WayFrame};
use crate::ir::{
    Block, Edge, ExitId, Graph, Inst, Machine, NEAR, New, Op, Origin, Put, Region, StepSite, Term, Ty, Val,
};
use crate::opt;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F32, F64, I8, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, AliasRegionData, Block as CBlock, BlockArg, InstBuilder, MemFlagsData, SigRef, Signature,
    SourceLoc, StackSlotData, StackSlotKind, Value as CVal,
};
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_codegen::{Context, ir};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use pellucid_interp::caches;
use pellucid_interp::form::Form;
use pellucid_interp::hot::{self, Outside, Place, Status};
use pellucid_interp::ops::Op as Code;
use pellucid_interp::quick::{Gives, Quick};
use pellucid_object::protocol::{BinOp, CmpOp};
use pellucid_object::{Interpreter, Value, layout};
use std::cell::Cell;
use std::collections::HashMap;

/// Machine code that is not in its place yet.
pub struct Lowered {
    pub code: Vec<u8>,
    /// Owned by the code, which holds their addresses.
    pub ways: exit::Pinned<Way>,
    pub pushes: exit::Pinned<exit::Push>,
    /// Instructions done out of line, and which they are.
    pub outside: exit::Pinned<Outside>,
    pub sites: Vec<StepSite>,
    /// How often guards are still to fail without need.
    pub fails: exit::Pinned<Cell<u32>>,
    /// Cranelift's listing, when it was asked for.
    pub listing: Option<String>,
    /// Its form, and the origins of pieces of code, when they were asked for.
    pub text: Option<String>,
    pub map: Vec<(u32, u32, Origin)>,
}

/// What is known of the place the code is for.
pub struct Target<'a> {
    pub vm: &'a Interpreter,
    pub form: &'a Form,
    pub place: Place,
    pub listing: bool,
    /// Tells where machine code comes from.
    pub record: bool,
    /// How often each guard fails without need.
    pub fail: u32,
}

/// Compiles a graph. Errors: what Cranelift does not like, as text.
pub fn lower(graph: &Graph, target: &Target, isa: &OwnedTargetIsa) -> Result<Lowered, String> {
    let mut context = Context::new();
    let call_conv = isa.default_call_conv();
    let mut signature = Signature::new(call_conv);
    signature.params.extend([AbiParam::new(I64); 3]);
    signature.returns.push(AbiParam::new(I64));
    context.func.signature = signature;
    let mut builder_context = FunctionBuilderContext::new();
    let builder = FunctionBuilder::new(&mut context.func, &mut builder_context);
    let mut lowering = Lowering::new(graph, target, builder, call_conv);
    lowering.run()?;
    let Lowering { builder, ways, pushes, outside, sites, fails, .. } = lowering;
    builder.finalize(isa.frontend_config());
    let text = target.record.then(|| context.func.display().to_string());
    context.set_disasm(target.listing);
    let compiled =
        context.compile(&**isa, &mut ControlPlane::default()).map_err(|e| format!("{:?}", e.inner))?;
    if !compiled.buffer.relocs().is_empty() {
        return Err("code with relocations".to_string());
    }
    let code = compiled.buffer.data().to_vec();
    let listing = compiled.vcode.clone();
    let srclocs = compiled.buffer.get_srclocs_sorted().iter().filter(|_| target.record);
    let map = srclocs.filter_map(|piece| {
        let origin = graph.origins.get(piece.loc.bits() as usize)?;
        Some((piece.start, piece.end, *origin))
    });
    let map = map.collect();
    Ok(Lowered { code, ways, pushes, outside, sites, fails, listing, text, map })
}

struct Lowering<'a, 'b> {
    graph: &'a Graph,
    target: &'a Target<'a>,
    builder: FunctionBuilder<'b>,
    call_conv: cranelift_codegen::isa::CallConv,
    values: HashMap<Val, CVal>,
    blocks: HashMap<Block, CBlock>,
    exits: HashMap<ExitId, CBlock>,
    todo: Vec<(ExitId, SourceLoc)>,
    ways: exit::Pinned<Way>,
    pushes: exit::Pinned<exit::Push>,
    outside: exit::Pinned<Outside>,
    sites: Vec<StepSite>,
    fails: exit::Pinned<Cell<u32>>,
    /// How often each exit will be taken without need.
    forced: HashMap<ExitId, u32>,
    signatures: HashMap<usize, SigRef>,
    vm: CVal,
    frame: CVal,
    regs: CVal,
}

impl<'a, 'b> Lowering<'a, 'b> {
    fn new(
        graph: &'a Graph,
        target: &'a Target<'a>,
        mut builder: FunctionBuilder<'b>,
        call_conv: cranelift_codegen::isa::CallConv,
    ) -> Self {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        let [vm, frame, regs] = *builder.block_params(entry) else { unreachable!("three parameters") };
        let blocks = HashMap::from([(Block(0), entry)]);
        Lowering {
            graph,
            target,
            builder,
            call_conv,
            values: HashMap::new(),
            blocks,
            exits: HashMap::new(),
            todo: Vec::new(),
            ways: Vec::new(),
            pushes: Vec::new(),
            outside: Vec::new(),
            sites: Vec::new(),
            fails: Vec::new(),
            forced: HashMap::new(),
            signatures: HashMap::new(),
            vm,
            frame,
            regs,
        }
    }

    fn run(&mut self) -> Result<(), String> {
        let order = self.order();
        for block in &order {
            if *block != Block(0) {
                let made = self.builder.create_block();
                for param in &self.graph.blocks[block.0 as usize].params {
                    let ty = self.machine_type(self.graph.ty(*param));
                    let value = self.builder.append_block_param(made, ty);
                    self.values.insert(*param, value);
                }
                self.blocks.insert(*block, made);
            }
        }
        for block in order {
            self.builder.switch_to_block(self.blocks[&block]);
            let data = &self.graph.blocks[block.0 as usize];
            for val in &data.insts {
                self.inst(*val)?;
            }
            self.term(&data.term)?;
        }
        while let Some((exit, from)) = self.todo.pop() {
            self.builder.set_srcloc(from);
            self.exit_code(exit)?;
        }
        self.builder.seal_all_blocks();
        Ok(())
    }

    /// Blocks so that values are made before they are used: reverse postorder.
    fn order(&self) -> Vec<Block> {
        let mut seen = std::collections::HashSet::new();
        let mut order = Vec::new();
        let mut stack = vec![(Block(0), 0)];
        seen.insert(Block(0));
        while let Some((block, next)) = stack.pop() {
            let successors = opt::successors(&self.graph.blocks[block.0 as usize].term);
            match successors.get(next) {
                Some(to) => {
                    stack.push((block, next + 1));
                    if seen.insert(*to) {
                        stack.push((*to, 0));
                    }
                }
                None => order.push(block),
            }
        }
        order.reverse();
        order
    }

    /// How memory of a region is accessed: apart from all others.
    fn region(&mut self, region: Region) -> MemFlagsData {
        self.apart(region as u32)
    }
    /// The same for a register.
    fn register(&mut self, register: u16) -> MemFlagsData {
        self.apart(1000 + u32::from(register))
    }
    /// The same for reference counts.
    fn counts(&mut self) -> MemFlagsData {
        self.apart(999)
    }
    fn apart(&mut self, user_id: u32) -> MemFlagsData {
        let region = AliasRegionData { user_id, description: "".into() };
        let region = self.builder.func.dfg.alias_regions.insert(region);
        MemFlagsData::trusted().with_alias_region(Some(region))
    }

    fn machine_type(&self, ty: Ty) -> ir::Type {
        match ty {
            Ty::Float => F64,
            Ty::Bool => I8,
            Ty::Int | Ty::Word | Ty::Raw => I64,
        }
    }

    fn get(&mut self, val: Val) -> Result<CVal, String> {
        if let Some(value) = self.values.get(&val) {
            return Ok(*value);
        }
        // Constants are made where they are used.
        let ins = self.builder.ins();
        Ok(match self.graph.inst(val).op {
            Op::Int(n) => ins.iconst(I64, n << 1),
            Op::Float(bits) => ins.f64const(f64::from_bits(bits)),
            Op::Bool(b) => ins.iconst(I8, i64::from(b)),
            Op::Word(bits) => ins.iconst(I64, bits as i64),
            Op::Raw(n) => ins.iconst(I64, n),
            Op::Frame => self.frame,
            op => return Err(format!("{val} ({op:?}) is used before it is made")),
        })
    }

    fn edge(&mut self, edge: &Edge) -> Result<(CBlock, Vec<BlockArg>), String> {
        let block = edge.block.and_then(|b| self.blocks.get(&b).copied()).ok_or("an edge to nowhere")?;
        let args =
            edge.args.iter().map(|a| Ok(BlockArg::Value(self.get(*a)?))).collect::<Result<_, String>>()?;
        Ok((block, args))
    }

    fn term(&mut self, term: &Term) -> Result<(), String> {
        match term {
            Term::Open => return Err("an open block".to_string()),
            Term::Jump(edge) => {
                let (block, args) = self.edge(edge)?;
                self.builder.ins().jump(block, &args);
            }
            Term::Branch(cond, a, b) => {
                let cond = self.get(*cond)?;
                let ((then, x), (other, y)) = (self.edge(a)?, self.edge(b)?);
                self.builder.ins().brif(cond, then, &x, other, &y);
            }
            Term::Exit(exit) => {
                let block = self.exit(*exit);
                self.builder.ins().jump(block, &[]);
            }
        }
        Ok(())
    }

    // Exits.

    fn exit(&mut self, exit: ExitId) -> CBlock {
        if let Some(block) = self.exits.get(&exit) {
            return *block;
        }
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        self.exits.insert(exit, block);
        self.todo.push((exit, self.builder.srcloc()));
        block
    }

    /// Leaves by an exit when `bad` is not 0.
    fn leave_if(&mut self, bad: CVal, exit: Option<ExitId>) -> Result<(), String> {
        let exit = exit.ok_or("a guard without an exit")?;
        let (block, on) = (self.exit(exit), self.builder.create_block());
        self.builder.ins().brif(bad, block, &[], on, &[]);
        self.builder.switch_to_block(on);
        Ok(())
    }

    fn leave_unless(&mut self, good: CVal, exit: Option<ExitId>) -> Result<(), String> {
        let exit = exit.ok_or("a guard without an exit")?;
        let (block, on) = (self.exit(exit), self.builder.create_block());
        self.builder.ins().brif(good, on, &[], block, &[]);
        self.builder.switch_to_block(on);
        Ok(())
    }

    /// The code of an exit.
    fn exit_code(&mut self, exit: ExitId) -> Result<(), String> {
        self.builder.switch_to_block(self.exits[&exit]);
        let data = &self.graph.exits[exit.0 as usize];
        if data.why.is_empty() && data.puts.is_empty() && data.frames.is_empty() && data.item.is_none() {
            // All is in its place but for the instruction.
            let pc = self.instr_at(self.target.form, data.pc);
            let offset = std::mem::offset_of!(pellucid_interp::frame::Frame, pc) as i32;
            self.builder.ins().store(MemFlagsData::trusted(), pc, self.frame, offset);
            let status = self.builder.ins().iconst(I64, Status::On as i64);
            self.builder.ins().return_(&[status]);
            return Ok(());
        }
        let status = self.take_exit(exit)?;
        self.builder.ins().return_(&[status]);
        Ok(())
    }

    /// Calls what takes the exit; its status.
    fn take_exit(&mut self, exit: ExitId) -> Result<CVal, String> {
        let data = &self.graph.exits[exit.0 as usize];
        let mut puts = Vec::new();
        let mut values = Vec::new();
        for (register, put) in &data.puts {
            let kind = match put {
                Put::Val(val) => {
                    values.push(*val);
                    kind_of(self.graph.ty(*val))
                }
                Put::Walk(index, start) => {
                    values.push(*index);
                    values.extend(*start);
                    Kind::Walk { counts: start.is_some() }
                }
                Put::Tuple(items) => {
                    values.extend(items.iter());
                    Kind::Tuple(items.iter().map(|item| kind_of(self.graph.ty(*item))).collect())
                }
                Put::Again(register) => Kind::Again(*register),
                Put::Range(a, b, step) => {
                    values.extend([*a, *b]);
                    Kind::Range(*step)
                }
                Put::RangeIter(a, b, step) => {
                    values.extend([*a, *b]);
                    Kind::RangeIter(*step)
                }
            };
            puts.push((*register, kind));
        }
        let mut frames = Vec::new();
        for frame in &data.frames {
            values.push(frame.function);
            values.extend(frame.object);
            let (code, form) = code_and_form(frame.code)?;
            frames.push(WayFrame {
                code,
                form,
                base: frame.base,
                call: frame.call,
                dst: frame.dst,
                callee: frame.callee,
                ret: frame.ret,
                has_object: frame.object.is_some(),
                framed: frame.framed,
            });
        }
        if let Some((items, index, value)) = data.item {
            values.extend([items, index, value]);
        }
        values.extend(&data.drops);
        let way = Box::new(Way {
            pc: data.pc,
            item: data.item.map(|(_, _, value)| self.graph.ty(value)),
            puts,
            frames,
            drops: data.drops.len(),
            why: data.why,
            taken: Default::default(),
            total: Default::default(),
            forced: Cell::new(self.forced.get(&exit).copied().unwrap_or(0)),
            form: self.target.form,
            place: self.target.place,
        });
        let address = std::ptr::from_ref::<Way>(&way) as i64;
        self.ways.push(way);
        let mut words = Vec::new();
        for val in &values {
            let value = self.get(*val)?;
            let is_bool = self.graph.ty(*val) == Ty::Bool;
            words.push(if is_bool { self.builder.ins().uextend(I64, value) } else { value });
        }
        let values = self.in_a_row(&words);
        let way = self.builder.ins().iconst(I64, address);
        Ok(self.call(exit::leave as *const () as usize, &[self.vm, self.frame, way, values]))
    }

    /// Puts words into memory one behind the other; the address of the first.
    fn in_a_row(&mut self, words: &[CVal]) -> CVal {
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, 8 * words.len().max(1) as u32, 3);
        let slot = self.builder.create_sized_stack_slot(slot);
        for (index, word) in words.iter().enumerate() {
            self.builder.ins().stack_store(I64, *word, slot, 8 * index as i32);
        }
        self.builder.ins().stack_addr(I64, slot, 0)
    }

    /// Calls a function of the run time with words, which gives a word.
    fn call(&mut self, function: usize, args: &[CVal]) -> CVal {
        let signature = match self.signatures.get(&args.len()) {
            Some(known) => *known,
            None => {
                let mut signature = Signature::new(self.call_conv);
                signature.params.extend(vec![AbiParam::new(I64); args.len()]);
                signature.returns.push(AbiParam::new(I64));
                let made = self.builder.import_signature(signature);
                self.signatures.insert(args.len(), made);
                made
            }
        };
        let function = self.builder.ins().iconst(I64, function as i64);
        let call = self.builder.ins().call_indirect(signature, function, args);
        self.builder.inst_results(call)[0]
    }

    // Instructions.

    fn inst(&mut self, val: Val) -> Result<(), String> {
        let inst = self.graph.inst(val).clone();
        if self.target.record {
            self.builder.set_srcloc(SourceLoc::new(self.graph.from[val.0 as usize]));
        }
        if self.target.fail > 0 {
            self.fail_first(&inst)?;
        }
        let args = inst.args.iter().map(|a| self.get(*a)).collect::<Result<Vec<CVal>, String>>()?;
        if let Some(result) = self.operation(&inst, &args)? {
            self.values.insert(val, result);
        }
        Ok(())
    }

    /// A guard that takes its exit a few times before it looks, though it may hold. What has an effect has none then. What dies
    /// is dead before its exit is taken, a tuple has taken over its items, and what is done out of line is done: these count
    /// for themselves.
    fn fail_first(&mut self, inst: &Inst) -> Result<(), String> {
        let later = matches!(inst.op, Op::Dec | Op::Step(_) | Op::New(New::Tuple));
        let Some(exit) = inst.exit.filter(|_| !later) else { return Ok(()) };
        let fails = self.fails(exit);
        self.leave_if(fails, Some(exit))
    }

    /// The same for a tuple that was just made: it has taken over its items, and dies with them.
    fn fail_tuple(&mut self, word: CVal, exit: Option<ExitId>) -> Result<(), String> {
        let Some(exit) = exit.filter(|_| self.target.fail > 0) else { return Ok(()) };
        let fails = self.fails(exit);
        let (dies, on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(fails, dies, &[], on, &[]);
        self.builder.switch_to_block(dies);
        self.call(hot::last_drop as *const () as usize, &[self.vm, word]);
        let away = self.exit(exit);
        self.builder.ins().jump(away, &[]);
        self.builder.switch_to_block(on);
        Ok(())
    }

    /// 1 as long as a guard with this exit is to fail.
    fn fails(&mut self, exit: ExitId) -> CVal {
        let left = Box::new(Cell::new(self.target.fail));
        let address = self.builder.ins().iconst(I64, left.as_ptr() as i64);
        self.fails.push(left);
        *self.forced.entry(exit).or_insert(0) += self.target.fail;
        let left = self.builder.ins().load(I32, MemFlagsData::trusted(), address, 0);
        let some = self.builder.ins().icmp_imm_s(IntCC::NotEqual, left, 0);
        let one = self.builder.ins().uextend(I32, some);
        let less = self.builder.ins().isub(left, one);
        self.builder.ins().store(MemFlagsData::trusted(), less, address, 0);
        some
    }

    fn operation(&mut self, inst: &Inst, args: &[CVal]) -> Result<Option<CVal>, String> {
        use Op::*;
        let exit = inst.exit;
        let a = args.first().copied();
        let x = || a.ok_or("an operation without operands");
        let y = || args.get(1).copied().ok_or("an operation without a second operand");
        Ok(Some(match inst.op {
            Param | Int(_) | Float(_) | Bool(_) | Word(_) | Raw(_) | Frame | Clobber(_) => return Ok(None),
            LoadReg(reg) => {
                let flags = self.register(reg);
                self.builder.ins().load(I64, flags, self.regs, 8 * i32::from(reg))
            }
            StoreReg(reg) => {
                let flags = self.register(reg);
                self.builder.ins().store(flags, x()?, self.regs, 8 * i32::from(reg));
                return Ok(None);
            }
            Load { region, offset } => {
                let flags = self.region(region);
                self.builder.ins().load(I64, flags, x()?, offset)
            }
            Load32 { region, offset } => {
                let flags = self.region(region);
                self.builder.ins().uload32(flags, x()?, offset)
            }
            Load8 { region, offset } => {
                let flags = self.region(region);
                self.builder.ins().uload8(I64, flags, x()?, offset)
            }
            Store { region, offset } => {
                let flags = self.region(region);
                self.builder.ins().store(flags, y()?, x()?, offset);
                return Ok(None);
            }
            Item => {
                let address = self.item_address(x()?, y()?);
                let flags = self.region(Region::Items);
                self.builder.ins().load(I64, flags, address, 0)
            }
            SetItem => {
                let address = self.item_address(x()?, y()?);
                let word = *args.get(2).ok_or("an item without a value")?;
                let flags = self.region(Region::Items);
                self.builder.ins().store(flags, word, address, 0);
                return Ok(None);
            }
            ArrayItem(kind) => self.array_item(kind, x()?, y()?, exit)?,
            SetArrayItem(kind) => {
                let number = *args.get(2).ok_or("an item without a value")?;
                self.set_array_item(kind, x()?, y()?, number, exit)?;
                return Ok(None);
            }
            BoxInt => self.builder.ins().bor_imm_s(x()?, 1),
            BoxBool => {
                let (yes, no) = self.two(Value::TRUE.bits() as i64, Value::FALSE.bits() as i64);
                self.builder.ins().select(x()?, yes, no)
            }
            BoxFloat => self.box_float(x()?),
            GuardInt => {
                let tag = self.builder.ins().band_imm_s(x()?, 1);
                self.leave_unless(tag, exit)?;
                self.builder.ins().band_imm_s(x()?, -2)
            }
            GuardFloat => self.unbox_float(x()?, exit)?,
            GuardAnyFloat => self.any_float(x()?, exit)?,
            GuardNumber => self.number_as_float(x()?, exit)?,
            Arith(op) => {
                let function = match op {
                    BinOp::Add => exit::add as *const () as usize,
                    BinOp::Sub => exit::sub as *const () as usize,
                    BinOp::Mul => exit::mul as *const () as usize,
                    _ => return Err("an operator that words do not have".to_string()),
                };
                let word = self.call(function, &[self.vm, x()?, y()?]);
                self.leave_unless(word, exit)?;
                word
            }
            CmpNumber(op) => {
                let op = self.builder.ins().iconst(I64, op as i64);
                let holds = self.call(exit::compare as *const () as usize, &[self.vm, x()?, y()?, op]);
                let neither = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, holds, 1);
                self.leave_if(neither, exit)?;
                self.builder.ins().ireduce(I8, holds)
            }
            GuardBool => {
                let yes = self.builder.ins().icmp_imm_s(IntCC::Equal, x()?, Value::TRUE.bits() as i64);
                let no = self.builder.ins().icmp_imm_s(IntCC::Equal, x()?, Value::FALSE.bits() as i64);
                let either = self.builder.ins().bor(yes, no);
                self.leave_unless(either, exit)?;
                yes
            }
            GuardNear => {
                // The bits from that of `NEAR` on are all the same.
                let high = self.builder.ins().sshr_imm_s(x()?, i64::from((NEAR << 1).trailing_zeros()));
                let high = self.builder.ins().iadd_imm_s(high, 1);
                let far = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, high, 1);
                self.leave_if(far, exit)?;
                x()?
            }
            GuardHeap => {
                let tag = self.builder.ins().band_imm_s(x()?, 7);
                self.leave_if(tag, exit)?;
                x()?
            }
            GuardPlain => {
                let tag = self.builder.ins().band_imm_s(x()?, 7);
                self.leave_unless(tag, exit)?;
                x()?
            }
            GuardType { ty, .. } => {
                self.guard_type(x()?, ty, exit)?;
                x()?
            }
            GuardIs(bits) => {
                let other = self.builder.ins().icmp_imm_s(IntCC::NotEqual, x()?, bits as i64);
                self.leave_if(other, exit)?;
                x()?
            }
            GuardNot(bits) => {
                let same = self.builder.ins().icmp_imm_s(IntCC::Equal, x()?, bits as i64);
                self.leave_if(same, exit)?;
                x()?
            }
            GuardTrue => {
                self.leave_unless(x()?, exit)?;
                x()?
            }
            Bound => {
                let end = self.builder.ins().ishl_imm_s(y()?, 1);
                let out = self.builder.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, x()?, end);
                self.leave_if(out, exit)?;
                x()?
            }
            FromEnd => {
                let len = self.builder.ins().ishl_imm_s(y()?, 1);
                let from_end = self.builder.ins().iadd(x()?, len);
                let negative = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, x()?, 0);
                self.builder.ins().select(negative, from_end, x()?)
            }
            KnownAttr(cache) | KnownMethod(cache) => {
                let function = match inst.op {
                    KnownAttr(_) => caches::known_attr as *const () as usize,
                    _ => caches::known_method as *const () as usize,
                };
                let cache = self.builder.ins().iconst(I64, cache as i64);
                let word = self.call(function, &[x()?, cache, y()?]);
                self.leave_unless(word, exit)?;
                word
            }
            StoreKnown(cache) => {
                let cache = self.builder.ins().iconst(I64, cache as i64);
                let value = *args.get(2).ok_or("a store of nothing")?;
                let function = caches::store_known as *const () as usize;
                let old = self.call(function, &[self.vm, x()?, cache, y()?, value]);
                self.leave_unless(old, exit)?;
                old
            }
            IntToFloat => {
                let n = self.builder.ins().sshr_imm_s(x()?, 1);
                self.builder.ins().fcvt_from_sint(F64, n)
            }
            Itself => x()?,
            RawShr(n) => self.builder.ins().ushr_imm_s(x()?, i64::from(n)),
            RawAdd(n) => self.builder.ins().iadd_imm_s(x()?, n),
            TupleItem => {
                let item = self.call(exit::tuple_item as *const () as usize, &[x()?, y()?]);
                self.leave_unless(item, exit)?;
                item
            }
            TupleLen => self.call(exit::tuple_len as *const () as usize, &[x()?]),
            TupleItems => self.call(exit::tuple_items as *const () as usize, &[x()?]),
            RawToInt => self.builder.ins().ishl_imm_s(x()?, 1),
            IntAddQuick => self.builder.ins().iadd(x()?, y()?),
            IntSubQuick => self.builder.ins().isub(x()?, y()?),
            IntAdd | IntSub | IntMul | IntNeg | IntFloorDiv | IntMod | IntShl | IntShr => {
                self.int_operation(inst, args)?
            }
            IntAnd => self.builder.ins().band(x()?, y()?),
            IntOr => self.builder.ins().bor(x()?, y()?),
            IntXor => self.builder.ins().bxor(x()?, y()?),
            FloatAdd => self.builder.ins().fadd(x()?, y()?),
            FloatSub => self.builder.ins().fsub(x()?, y()?),
            FloatMul => self.builder.ins().fmul(x()?, y()?),
            FloatDiv => {
                let zero = self.builder.ins().f64const(0.0);
                let bad = self.builder.ins().fcmp(FloatCC::Equal, y()?, zero);
                self.leave_if(bad, exit)?;
                self.builder.ins().fdiv(x()?, y()?)
            }
            FloatNeg => self.builder.ins().fneg(x()?),
            FloatSquare => {
                let square = self.builder.ins().fmul(x()?, x()?);
                let most = self.builder.ins().f64const(f64::MAX);
                let bad = self.builder.ins().fcmp(FloatCC::GreaterThan, square, most);
                self.leave_if(bad, exit)?;
                square
            }
            CmpInt(op) => self.builder.ins().icmp(int_cc(op), x()?, y()?),
            CmpFloat(op) => self.builder.ins().fcmp(float_cc(op), x()?, y()?),
            Same => self.builder.ins().icmp(IntCC::Equal, x()?, y()?),
            Not => self.builder.ins().bxor_imm_s(x()?, 1),
            Inc => {
                self.inc(x()?);
                return Ok(None);
            }
            Dec => {
                self.dec(x()?, exit)?;
                return Ok(None);
            }
            Step(site) => self.step(site, exit)?,
            PushFrame(site) => {
                self.push_frame(site, x()?, args.get(1).copied())?;
                return Ok(None);
            }
            PopFrame => {
                self.call(exit::pop_frame as *const () as usize, &[self.vm]);
                return Ok(None);
            }
            Instance => {
                let object = self.call(exit::new_instance as *const () as usize, &[self.vm, x()?]);
                self.leave_unless(object, exit)?;
                object
            }
            Poll | PollFlag => {
                self.poll(inst.op == Poll, exit)?;
                return Ok(None);
            }
            New(what) => self.make(what, args, exit)?,
            Quick(what) => self.quick(what, args, exit)?,
            RegAddress(reg) => self.builder.ins().iadd_imm_s(self.regs, 8 * i64::from(reg)),
        }))
    }

    fn two(&mut self, a: i64, b: i64) -> (CVal, CVal) {
        (self.builder.ins().iconst(I64, a), self.builder.ins().iconst(I64, b))
    }

    fn item_address(&mut self, items: CVal, index: CVal) -> CVal {
        let offset = self.builder.ins().ishl_imm_s(index, 2);
        self.builder.ins().iadd(items, offset)
    }

    fn array_address(&mut self, kind: Machine, items: CVal, index: CVal) -> CVal {
        // The index is doubled.
        let offset = match kind.log_size() {
            0 => self.builder.ins().sshr_imm_s(index, 1),
            1 => index,
            log => self.builder.ins().ishl_imm_s(index, i64::from(log) - 1),
        };
        self.builder.ins().iadd(items, offset)
    }

    fn array_item(
        &mut self,
        kind: Machine,
        items: CVal,
        index: CVal,
        exit: Option<ExitId>,
    ) -> Result<CVal, String> {
        let at = self.array_address(kind, items, index);
        let flags = self.region(Region::Packed);
        let ins = self.builder.ins();
        let number = match kind {
            Machine::F64 => return Ok(ins.load(F64, flags, at, 0)),
            Machine::F32 => {
                let single = ins.load(F32, flags, at, 0);
                return Ok(self.builder.ins().fpromote(F64, single));
            }
            Machine::I8 => ins.sload8(I64, flags, at, 0),
            Machine::U8 => ins.uload8(I64, flags, at, 0),
            Machine::I16 => ins.sload16(I64, flags, at, 0),
            Machine::U16 => ins.uload16(I64, flags, at, 0),
            Machine::I32 => ins.sload32(flags, at, 0),
            Machine::U32 => ins.uload32(flags, at, 0),
            Machine::I64 => {
                let number = ins.load(I64, flags, at, 0);
                let (doubled, far) = self.builder.ins().sadd_overflow(number, number);
                self.leave_if(far, exit)?;
                return Ok(doubled);
            }
        };
        Ok(self.builder.ins().ishl_imm_s(number, 1))
    }

    fn set_array_item(
        &mut self,
        kind: Machine,
        items: CVal,
        index: CVal,
        number: CVal,
        exit: Option<ExitId>,
    ) -> Result<(), String> {
        let number = if kind.ty() == Ty::Int { self.builder.ins().sshr_imm_s(number, 1) } else { number };
        let (least, most) = match kind {
            Machine::I8 => (i8::MIN.into(), i8::MAX.into()),
            Machine::U8 => (0, u8::MAX.into()),
            Machine::I16 => (i16::MIN.into(), i16::MAX.into()),
            Machine::U16 => (0, u16::MAX.into()),
            Machine::I32 => (i32::MIN.into(), i32::MAX.into()),
            Machine::U32 => (0, u32::MAX.into()),
            Machine::I64 | Machine::F32 | Machine::F64 => (0i64, 0i64),
        };
        if most > 0 {
            let above = self.builder.ins().iadd_imm_s(number, -least);
            let out = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, above, most - least);
            self.leave_if(out, exit)?;
        }
        let at = self.array_address(kind, items, index);
        let flags = self.region(Region::Packed);
        match kind {
            Machine::I8 | Machine::U8 => self.builder.ins().istore8(flags, number, at, 0),
            Machine::I16 | Machine::U16 => self.builder.ins().istore16(flags, number, at, 0),
            Machine::I32 | Machine::U32 => self.builder.ins().istore32(flags, number, at, 0),
            Machine::I64 | Machine::F64 => self.builder.ins().store(flags, number, at, 0),
            Machine::F32 => {
                let single = self.builder.ins().fdemote(F32, number);
                self.builder.ins().store(flags, single, at, 0)
            }
        };
        Ok(())
    }

    fn guard_type(&mut self, word: CVal, ty: u64, exit: Option<ExitId>) -> Result<(), String> {
        let tag = self.builder.ins().band_imm_s(word, 7);
        self.leave_if(tag, exit)?;
        let flags = self.region(Region::Header);
        let held = self.builder.ins().load(I64, flags, word, layout::TYPE as i32);
        let other = self.builder.ins().icmp_imm_s(IntCC::NotEqual, held, ty as i64);
        self.leave_if(other, exit)
    }

    /// See `Value::as_small_float`.
    fn unbox_float(&mut self, word: CVal, exit: Option<ExitId>) -> Result<CVal, String> {
        let tag = self.builder.ins().band_imm_s(word, 3);
        let other = self.builder.ins().icmp_imm_s(IntCC::NotEqual, tag, 2);
        self.leave_if(other, exit)?;
        let sign = self.builder.ins().ushr_imm_s(word, 63);
        let two = self.builder.ins().iconst(I64, 2);
        let high = self.builder.ins().isub(two, sign);
        let rest = self.builder.ins().band_imm_s(word, -4);
        let bits = self.builder.ins().bor(high, rest);
        let bits = self.builder.ins().rotr_imm_s(bits, 3);
        let positive = self.builder.ins().band_imm_s(word, !4);
        let zero = self.builder.ins().icmp_imm_s(IntCC::Equal, positive, FLOAT_ZERO);
        let signed = self.builder.ins().ishl_imm_s(word, 61);
        let sign = self.builder.ins().band_imm_s(signed, i64::MIN);
        let bits = self.builder.ins().select(zero, sign, bits);
        Ok(self.builder.ins().bitcast(F64, MemFlagsData::new(), bits))
    }

    /// A float in the word or on the heap.
    fn any_float(&mut self, word: CVal, exit: Option<ExitId>) -> Result<CVal, String> {
        let (heap, small, done) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(heap);
        let result = self.builder.append_block_param(done, F64);
        let tag = self.builder.ins().band_imm_s(word, 7);
        self.builder.ins().brif(tag, small, &[], heap, &[]);
        self.builder.switch_to_block(heap);
        let ty = self.target.vm.types().float.value().bits();
        self.guard_type(word, ty, exit)?;
        let flags = self.region(Region::Tuple);
        let float = self.builder.ins().load(F64, flags, word, layout::PAYLOAD as i32);
        self.builder.ins().jump(done, &[BlockArg::Value(float)]);
        self.builder.switch_to_block(small);
        let float = self.unbox_float(word, exit)?;
        self.builder.ins().jump(done, &[BlockArg::Value(float)]);
        self.builder.switch_to_block(done);
        Ok(result)
    }

    /// An int that a float can be equal to, or a float.
    fn number_as_float(&mut self, word: CVal, exit: Option<ExitId>) -> Result<CVal, String> {
        let (int, other, done) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        let result = self.builder.append_block_param(done, F64);
        let tag = self.builder.ins().band_imm_s(word, 1);
        self.builder.ins().brif(tag, int, &[], other, &[]);
        self.builder.switch_to_block(int);
        let n = self.builder.ins().sshr_imm_s(word, 1);
        let above = self.builder.ins().iadd_imm_s(n, EXACT);
        let far = self.builder.ins().icmp_imm_u(IntCC::UnsignedGreaterThan, above, 2 * EXACT);
        self.leave_if(far, exit)?;
        let float = self.builder.ins().fcvt_from_sint(F64, n);
        self.builder.ins().jump(done, &[BlockArg::Value(float)]);
        self.builder.switch_to_block(other);
        let float = self.any_float(word, exit)?;
        self.builder.ins().jump(done, &[BlockArg::Value(float)]);
        self.builder.switch_to_block(done);
        Ok(result)
    }

    /// See `Value::small_float`.
    fn box_float(&mut self, float: CVal) -> CVal {
        let bits = self.builder.ins().bitcast(I64, MemFlagsData::new(), float);
        let top = self.builder.ins().ushr_imm_s(bits, 60);
        let top = self.builder.ins().band_imm_s(top, 7);
        let top = self.builder.ins().iadd_imm_s(top, -3);
        let common = self.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, top, 2);
        let positive = self.builder.ins().band_imm_s(bits, i64::MAX);
        let special = self.builder.ins().icmp_imm_s(IntCC::NotEqual, positive, 0x3000_0000_0000_0000);
        let common = self.builder.ins().band(common, special);
        let (quick, slow, done) =
            (self.builder.create_block(), self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(slow);
        let result = self.builder.append_block_param(done, I64);
        self.builder.ins().brif(common, quick, &[], slow, &[]);
        self.builder.switch_to_block(quick);
        let word = self.builder.ins().rotl_imm_s(bits, 3);
        let word = self.builder.ins().band_imm_s(word, -4);
        let word = self.builder.ins().bor_imm_s(word, 2);
        self.builder.ins().jump(done, &[BlockArg::Value(word)]);
        self.builder.switch_to_block(slow);
        let word = self.call(exit::heap_float as *const () as usize, &[self.vm, bits]);
        self.builder.ins().jump(done, &[BlockArg::Value(word)]);
        self.builder.switch_to_block(done);
        result
    }

    fn int_operation(&mut self, inst: &Inst, args: &[CVal]) -> Result<CVal, String> {
        let exit = inst.exit;
        let x = *args.first().ok_or("an int operation without operands")?;
        let zero = self.builder.ins().iconst(I64, 0);
        let y = args.get(1).copied().unwrap_or(zero);
        let constant = inst.args.get(1).and_then(|v| self.graph.as_int(*v));
        let (result, overflow) = match inst.op {
            Op::IntAdd => self.builder.ins().sadd_overflow(x, y),
            Op::IntSub => self.builder.ins().ssub_overflow(x, y),
            Op::IntNeg => self.builder.ins().ssub_overflow(zero, x),
            Op::IntMul => {
                let half = self.builder.ins().sshr_imm_s(x, 1);
                self.builder.ins().smul_overflow(half, y)
            }
            Op::IntFloorDiv => return self.floor_div(x, y, constant, exit),
            Op::IntMod => return self.modulo(x, y, constant, exit),
            Op::IntShl => return self.shift_left(x, y, constant, exit),
            _ => {
                let by = self.builder.ins().sshr_imm_s(y, 1);
                let negative = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, by, 0);
                self.leave_if(negative, exit)?;
                let most = self.builder.ins().iconst(I64, 62);
                let by = self.builder.ins().smin(by, most);
                let shifted = self.builder.ins().sshr(x, by);
                return Ok(self.builder.ins().band_imm_s(shifted, -2));
            }
        };
        self.leave_if(overflow, exit)?;
        Ok(result)
    }

    fn shift_left(
        &mut self,
        x: CVal,
        y: CVal,
        constant: Option<i64>,
        exit: Option<ExitId>,
    ) -> Result<CVal, String> {
        let by = self.builder.ins().sshr_imm_s(y, 1);
        if !constant.is_some_and(|n| (0..62).contains(&n)) {
            let far = self.builder.ins().icmp_imm_s(IntCC::UnsignedGreaterThanOrEqual, by, 62);
            self.leave_if(far, exit)?;
        }
        let shifted = self.builder.ins().ishl(x, by);
        let back = self.builder.ins().sshr(shifted, by);
        let lost = self.builder.ins().icmp(IntCC::NotEqual, back, x);
        self.leave_if(lost, exit)?;
        Ok(shifted)
    }

    /// Rounds down, as Python does.
    fn floor_div(
        &mut self,
        x: CVal,
        y: CVal,
        constant: Option<i64>,
        exit: Option<ExitId>,
    ) -> Result<CVal, String> {
        if let Some(power) = constant.filter(is_power_of_two) {
            let shifted = self.builder.ins().sshr_imm_s(x, i64::from(power.trailing_zeros()));
            return Ok(self.builder.ins().band_imm_s(shifted, -2));
        }
        let (a, b) = self.dividends(x, y, constant, exit)?;
        let quotient = self.builder.ins().sdiv(a, b);
        let product = self.builder.ins().imul(quotient, b);
        let rest = self.builder.ins().isub(a, product);
        let off = self.rounds_up(rest, b);
        let quotient = self.builder.ins().isub(quotient, off);
        Ok(self.builder.ins().ishl_imm_s(quotient, 1))
    }

    fn modulo(
        &mut self,
        x: CVal,
        y: CVal,
        constant: Option<i64>,
        exit: Option<ExitId>,
    ) -> Result<CVal, String> {
        if let Some(power) = constant.filter(is_power_of_two) {
            return Ok(self.builder.ins().band_imm_s(x, (power << 1) - 1));
        }
        let (a, b) = self.dividends(x, y, constant, exit)?;
        let rest = self.builder.ins().srem(a, b);
        let off = self.rounds_up(rest, b);
        let zero = self.builder.ins().iconst(I64, 0);
        let add = self.builder.ins().select(off, b, zero);
        let rest = self.builder.ins().iadd(rest, add);
        Ok(self.builder.ins().ishl_imm_s(rest, 1))
    }

    /// Both numbers, the second one neither 0 nor -1.
    fn dividends(
        &mut self,
        x: CVal,
        y: CVal,
        constant: Option<i64>,
        exit: Option<ExitId>,
    ) -> Result<(CVal, CVal), String> {
        let (a, b) = (self.builder.ins().sshr_imm_s(x, 1), self.builder.ins().sshr_imm_s(y, 1));
        if !constant.is_some_and(|n| n != 0 && n != -1) {
            let next = self.builder.ins().iadd_imm_s(b, 1);
            let bad = self.builder.ins().icmp_imm_s(IntCC::UnsignedLessThan, next, 2);
            self.leave_if(bad, exit)?;
        }
        Ok((a, b))
    }

    /// 1 when division towards zero left a rest whose sign is not that of the divisor.
    fn rounds_up(&mut self, rest: CVal, divisor: CVal) -> CVal {
        let some = self.builder.ins().icmp_imm_s(IntCC::NotEqual, rest, 0);
        let mixed = self.builder.ins().bxor(rest, divisor);
        let differ = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, mixed, 0);
        let off = self.builder.ins().band(some, differ);
        self.builder.ins().uextend(I64, off)
    }

    /// Blocks for what is done when a word is on the heap: (that, behind it).
    fn if_heap(&mut self, word: CVal) -> (CBlock, CBlock) {
        let (heap, done) = (self.builder.create_block(), self.builder.create_block());
        let tag = self.builder.ins().band_imm_s(word, 7);
        self.builder.ins().brif(tag, done, &[], heap, &[]);
        self.builder.switch_to_block(heap);
        (heap, done)
    }

    fn inc(&mut self, word: CVal) {
        let (_, done) = self.if_heap(word);
        let flags = self.counts();
        let count = self.builder.ins().load(I32, flags, word, layout::REFCOUNT as i32);
        let count = self.builder.ins().iadd_imm_s(count, 1);
        self.builder.ins().store(flags, count, word, layout::REFCOUNT as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(done);
    }

    fn dec(&mut self, word: CVal, exit: Option<ExitId>) -> Result<(), String> {
        let (_, done) = self.if_heap(word);
        let flags = self.counts();
        let count = self.builder.ins().load(I32, flags, word, layout::REFCOUNT as i32);
        let Some(exit) = exit else {
            let count = self.builder.ins().iadd_imm_s(count, -1);
            self.builder.ins().store(flags, count, word, layout::REFCOUNT as i32);
            self.builder.ins().jump(done, &[]);
            self.builder.switch_to_block(done);
            return Ok(());
        };
        let last = self.builder.ins().icmp_imm_s(IntCC::Equal, count, 1);
        let (ends, stays) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(ends);
        self.builder.ins().brif(last, ends, &[], stays, &[]);
        self.builder.switch_to_block(stays);
        let count = self.builder.ins().iadd_imm_s(count, -1);
        self.builder.ins().store(flags, count, word, layout::REFCOUNT as i32);
        self.builder.ins().jump(done, &[]);
        self.builder.switch_to_block(ends);
        let ran = self.call(hot::last_drop as *const () as usize, &[self.vm, word]);
        let away = self.exit(exit);
        self.builder.ins().brif(ran, away, &[], done, &[]);
        self.builder.switch_to_block(done);
        if self.target.fail > 0 {
            let fails = self.fails(exit);
            self.leave_if(fails, Some(exit))?;
        }
        Ok(())
    }

    /// The record of an inlined call's frame.
    fn frame_at(&mut self, level: u32) -> CVal {
        let offset = i64::from(level) * size_of::<pellucid_interp::frame::Frame>() as i64;
        self.builder.ins().iadd_imm_s(self.frame, offset)
    }

    fn push_frame(&mut self, site: u32, function: CVal, object: Option<CVal>) -> Result<(), String> {
        let site = &self.graph.sites[site as usize];
        let (code, form) = code_and_form(site.code)?;
        let (_, caller_form) = code_and_form(site.caller_code)?;
        // SAFETY: forms are kept by their code, and code by the builder.
        let call = std::ptr::from_ref(unsafe { &(&(*caller_form).instrs)[site.call as usize] });
        let push = Box::new(exit::Push { code, form, base: site.base, dst: site.dst, ret: site.ret, call });
        let address = std::ptr::from_ref::<exit::Push>(&push) as i64;
        self.pushes.push(push);
        let caller = self.frame_at(site.caller);
        let push = self.builder.ins().iconst(I64, address);
        let none = self.builder.ins().iconst(I64, 0);
        let object = object.unwrap_or(none);
        self.call(
            exit::push_frame as *const () as usize,
            &[self.vm, caller, self.regs, push, function, object],
        );
        Ok(())
    }

    /// The address of an instruction.
    fn instr_at(&mut self, form: *const Form, pc: u32) -> CVal {
        // SAFETY: forms are kept by their code, and code by the builder or the root's frame.
        let instr = std::ptr::from_ref(unsafe { &(&(*form).instrs)[pc as usize] });
        self.builder.ins().iconst(I64, instr as i64)
    }

    fn step(&mut self, site: u32, exit: Option<ExitId>) -> Result<CVal, String> {
        let exit = exit.ok_or("a step without an exit")?;
        let site = self.graph.steps[site as usize];
        let (_, form) = code_and_form(site.code)?;
        // SAFETY: as for `push_frame`.
        let pc = std::ptr::from_ref(unsafe { &(&(*form).instrs)[site.pc as usize] });
        let (levels, leaves) = (site.level as usize, Cell::new(self.target.fail));
        let outside = Box::new(Outside { pc, levels, done: Cell::new(0), leaves });
        let address = std::ptr::from_ref::<Outside>(&outside) as i64;
        self.outside.push(outside);
        self.sites.push(site);
        let outside = self.builder.ins().iconst(I64, address);
        let frame = self.frame_at(site.level);
        // SAFETY: the instruction belongs to the form.
        let function = match unsafe { (*pc).op } {
            Code::Call | Code::CallMethod => hot::call as *const () as usize,
            _ => hot::step as *const () as usize,
        };
        let status = self.call(function, &[self.vm, frame, outside]);
        let bad = self.builder.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, status, Status::Jump as i64);
        let (away, on) = (self.builder.create_block(), self.builder.create_block());
        self.builder.set_cold_block(away);
        self.builder.ins().brif(bad, away, &[], on, &[]);
        self.builder.switch_to_block(away);
        if !self.graph.exits[exit.0 as usize].puts.is_empty() {
            self.take_exit(exit)?;
        }
        let raised = self.builder.ins().icmp_imm_s(IntCC::Equal, status, Status::Raised as i64);
        let (yes, no) = self.two(Status::Raised as i64, Status::On as i64);
        let status_out = self.builder.ins().select(raised, yes, no);
        self.builder.ins().return_(&[status_out]);
        self.builder.switch_to_block(on);
        Ok(self.builder.ins().ireduce(I8, status))
    }

    fn poll(&mut self, collections: bool, exit: Option<ExitId>) -> Result<(), String> {
        let vm = self.target.vm;
        let attention = self.builder.ins().iconst(I64, vm.attention.as_ptr() as i64);
        let flag = self.builder.ins().uload8(I32, MemFlagsData::trusted(), attention, 0);
        if !collections {
            return self.leave_if(flag, exit);
        }
        let (young, trigger) = vm.heap.due_words();
        let young = self.builder.ins().iconst(I64, young as i64);
        let trigger = self.builder.ins().iconst(I64, trigger as i64);
        let young = self.builder.ins().load(I64, MemFlagsData::trusted(), young, 0);
        let trigger = self.builder.ins().load(I64, MemFlagsData::trusted(), trigger, 0);
        let due = self.builder.ins().icmp(IntCC::UnsignedGreaterThan, young, trigger);
        let due = self.builder.ins().uextend(I32, due);
        let any = self.builder.ins().bor(flag, due);
        self.leave_if(any, exit)
    }

    fn quick(&mut self, what: Quick, args: &[CVal], exit: Option<ExitId>) -> Result<CVal, String> {
        let args: Vec<CVal> = std::iter::once(self.vm).chain(args.iter().copied()).collect();
        let word = self.call(what.address(), &args);
        self.leave_unless(word, exit)?;
        Ok(match what.gives() {
            Gives::Int => self.builder.ins().band_imm_s(word, -2),
            Gives::Truth => self.builder.ins().icmp_imm_s(IntCC::Equal, word, 2),
            Gives::Owned | Gives::Done => word,
        })
    }

    fn make(&mut self, what: New, args: &[CVal], exit: Option<ExitId>) -> Result<CVal, String> {
        if what == New::Tuple {
            let items = self.in_a_row(args);
            let count = self.builder.ins().iconst(I64, args.len() as i64);
            let word = self.call(exit::make_tuple as *const () as usize, &[self.vm, items, count]);
            self.leave_unless(word, exit)?;
            self.fail_tuple(word, exit)?;
            return Ok(word);
        }
        if let New::ListIter | New::Enumerate = what {
            let [list, index] = *args.first_chunk().ok_or("nothing to walk over")?;
            let (zero, one) = self.two(0, 1);
            let (start, counts) = args.get(2).map_or((zero, zero), |start| (*start, one));
            let made = [self.vm, list, index, start, counts];
            let word = self.call(exit::make_walk as *const () as usize, &made);
            self.leave_unless(word, exit)?;
            return Ok(word);
        }
        let a = *args.first().ok_or("nothing to make of")?;
        let b = *args.get(1).ok_or("nothing to make of")?;
        let (function, step, iterator) = match what {
            New::Append => {
                let done = self.call(exit::append as *const () as usize, &[self.vm, a, b]);
                self.leave_unless(done, exit)?;
                return Ok(done);
            }
            New::Range(step) => (exit::make_range as *const () as usize, step, 0),
            New::RangeIter(step) => (exit::make_range as *const () as usize, step, 1),
            New::Tuple | New::ListIter | New::Enumerate => return Err("that is no range".to_string()),
        };
        let (step, iterator) = self.two(step, iterator);
        let word = self.call(function, &[self.vm, a, b, step, iterator]);
        self.leave_unless(word, exit)?;
        Ok(word)
    }
}

fn kind_of(ty: Ty) -> Kind {
    match ty {
        Ty::Int => Kind::Int,
        Ty::Float => Kind::Float,
        Ty::Bool => Kind::Bool,
        Ty::Word | Ty::Raw => Kind::Word,
    }
}

/// Whether an int is a power of two.
fn is_power_of_two(n: &i64) -> bool {
    *n > 0 && n & (n - 1) == 0
}

/// A code object by its address, and its form.
fn code_and_form(bits: u64) -> Result<(Value, *const Form), String> {
    // SAFETY: the builder keeps the code objects that it inlines, and the root's frame its own.
    let code = unsafe { Value::borrow_bits(&bits).clone() };
    let form = code
        .downcast::<pellucid_interp::code::CodeObject>()
        .and_then(|code| code.ready_form())
        .map(std::ptr::from_ref)
        .ok_or("code without a form")?;
    Ok((code, form))
}

/// The word of 0.0.
const FLOAT_ZERO: i64 = 0x8000_0000_0000_0002_u64 as i64;

fn int_cc(op: CmpOp) -> IntCC {
    match op {
        CmpOp::Lt => IntCC::SignedLessThan,
        CmpOp::Le => IntCC::SignedLessThanOrEqual,
        CmpOp::Eq => IntCC::Equal,
        CmpOp::Ne => IntCC::NotEqual,
        CmpOp::Gt => IntCC::SignedGreaterThan,
        CmpOp::Ge => IntCC::SignedGreaterThanOrEqual,
    }
}

fn float_cc(op: CmpOp) -> FloatCC {
    match op {
        CmpOp::Lt => FloatCC::LessThan,
        CmpOp::Le => FloatCC::LessThanOrEqual,
        CmpOp::Eq => FloatCC::Equal,
        CmpOp::Ne => FloatCC::NotEqual,
        CmpOp::Gt => FloatCC::GreaterThan,
        CmpOp::Ge => FloatCC::GreaterThanOrEqual,
    }
}
