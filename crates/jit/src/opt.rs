//! What is done to a graph before it becomes machine code.

use crate::ir::{Block, ExitId, Graph, Header, Inst, NEAR, Op, Region, SMALL, Term, Ty, Val};
use pellucid_interp::quick::{Changes, Quick};
use pellucid_object::protocol::CmpOp;
use std::collections::HashSet;

/// The blocks that control goes to from `block`.
pub fn successors(term: &Term) -> Vec<Block> {
    match term {
        Term::Jump(edge) => edge.block.into_iter().collect(),
        Term::Branch(_, a, b) => a.block.into_iter().chain(b.block).collect(),
        Term::Open | Term::Exit(_) => Vec::new(),
    }
}

/// A loop: its first block, and all of its blocks.
pub struct Loop {
    pub header: Block,
    pub blocks: HashSet<Block>,
}

/// The loops, inner ones first.
pub fn loops(graph: &Graph) -> Vec<Loop> {
    let mut before = vec![Vec::new(); graph.blocks.len()];
    for (index, block) in graph.blocks.iter().enumerate() {
        successors(&block.term).iter().for_each(|to| before[to.0 as usize].push(Block(index as u32)));
    }
    let headers = graph.blocks.iter().enumerate().filter_map(|(i, b)| Some((Block(i as u32), b.header?)));
    let mut loops: Vec<Loop> = headers
        .map(|(header, data)| {
            let mut blocks = HashSet::from([header]);
            let mut todo: Vec<Block> =
                before[header.0 as usize].iter().copied().filter(|b| *b != data.before).collect();
            while let Some(block) = todo.pop() {
                if blocks.insert(block) {
                    todo.extend(&before[block.0 as usize]);
                }
            }
            Loop { header, blocks }
        })
        .collect();
    loops.sort_by_key(|l| l.blocks.len());
    loops
}

/// What the blocks of a loop write.
#[derive(Default)]
struct Writes {
    regions: HashSet<Region>,
    registers: HashSet<u16>,
    everything: bool,
}

fn writes(graph: &Graph, blocks: &HashSet<Block>) -> Writes {
    let mut writes = Writes::default();
    for block in blocks {
        for val in &graph.blocks[block.0 as usize].insts {
            match graph.inst(*val).op {
                Op::Store { region, .. } => drop(writes.regions.insert(region)),
                Op::SetItem => drop(writes.regions.insert(Region::Items)),
                Op::StoreKnown(_) => writes.regions.extend([Region::Attrs, Region::Shape]),
                Op::SetArrayItem(_) => drop(writes.regions.insert(Region::Packed)),
                Op::StoreReg(reg) | Op::Clobber(reg) => drop(writes.registers.insert(reg)),
                Op::New(crate::ir::New::Append) => drop(writes.regions.insert(Region::List)),
                Op::Quick(what) => writes.regions.extend(changed_by(what)),
                Op::Step(_) => writes.everything = true,
                _ => {}
            }
        }
    }
    writes
}

/// What a quick function changes.
pub fn changed_by(what: Quick) -> &'static [Region] {
    match what.changes() {
        Changes::Nothing => &[],
        Changes::Lists => &[Region::List, Region::Items],
        Changes::Dicts => &[Region::Dict],
    }
}

/// Moves out of loops what is the same at each turn, inner loops first: computations, loads of what the loop does not write,
/// and guards, which then leave before the loop begins.
pub fn hoist(graph: &mut Graph) {
    for Loop { header, blocks } in loops(graph) {
        let Some(data) = graph.blocks[header.0 as usize].header else { continue };
        let writes = writes(graph, &blocks);
        let mut inside: HashSet<Val> = HashSet::new();
        let mut order: Vec<Block> = blocks.iter().copied().collect();
        order.sort();
        for block in &order {
            inside.extend(&graph.blocks[block.0 as usize].params);
            inside.extend(&graph.blocks[block.0 as usize].insts);
        }
        // Blocks were made in an order in which operands come before their uses, but for blocks made ahead for a branch.
        loop {
            let mut again = false;
            for block in &order {
                let insts = std::mem::take(&mut graph.block(*block).insts);
                let mut stay = Vec::with_capacity(insts.len());
                for val in insts {
                    if invariant(graph, val, &inside, &writes) {
                        inside.remove(&val);
                        if graph.inst(val).exit.is_some() {
                            graph.insts[val.0 as usize].exit = Some(data.exit);
                        }
                        graph.block(data.before).insts.push(val);
                        count_hoisted(graph, val);
                        again = true;
                    } else {
                        stay.push(val);
                    }
                }
                graph.block(*block).insts = stay;
            }
            if !again {
                break;
            }
        }
    }
}

fn count_hoisted(graph: &mut Graph, val: Val) {
    let inst = graph.inst(val);
    let what = match inst.op {
        Op::Int(_) | Op::Float(_) | Op::Bool(_) | Op::Word(_) | Op::Raw(_) => return,
        _ if inst.exit.is_some() => "guards hoisted",
        Op::LoadReg(_) => "loads hoisted",
        op if op.reads().is_some() => "loads hoisted",
        _ => "computations hoisted",
    };
    graph.tally.add(what, 1);
}

/// An index that runs over a range from 0 or more, in steps upwards, below an end that stays the same, is within a list whose
/// length stays the same when the end is: that is looked at once, before the loop.
pub fn share_bounds(graph: &mut Graph) {
    for Loop { header, blocks } in loops(graph) {
        let Some(data) = graph.blocks[header.0 as usize].header else { continue };
        let Some((param, stop)) = counted(graph, header, &blocks) else { continue };
        let Some(start) = passed(graph, data.before, header, param) else { continue };
        let latches: Vec<Block> = blocks
            .iter()
            .copied()
            .filter(|b| successors(&graph.blocks[b.0 as usize].term).contains(&header))
            .collect();
        let upwards = |graph: &Graph, latch: &Block| {
            let next = passed(graph, *latch, header, param).map(|val| graph.inst(val));
            next.is_some_and(|next| {
                next.op == Op::IntAddQuick
                    && next.args[0] == param
                    && graph.as_int(next.args[1]).is_some_and(|step| step > 0)
            })
        };
        if !latches.iter().all(|latch| upwards(graph, latch)) {
            continue;
        }
        let inside: HashSet<Val> =
            blocks.iter().flat_map(|b| graph.blocks[b.0 as usize].insts.clone()).collect();
        let guards: Vec<Val> = inside
            .iter()
            .copied()
            .filter(|val| {
                let inst = graph.inst(*val);
                inst.op == Op::Bound && inst.args[0] == param && !inside.contains(&inst.args[1])
            })
            .collect();
        for guard in guards {
            let len = graph.inst(guard).args[1];
            guard_range(graph, data, guard, start, stop, len);
            // What it gave is the index itself.
            let same = &mut graph.insts[guard.0 as usize];
            same.op = Op::Itself;
            same.args.truncate(1);
            same.exit = None;
            graph.tally.add("bounds checks shared", 1);
        }
    }
}

/// Of a loop that begins by comparing a parameter with an end that comes from outside: both.
fn counted(graph: &Graph, header: Block, blocks: &HashSet<Block>) -> Option<(Val, Val)> {
    let data = &graph.blocks[header.0 as usize];
    let Term::Branch(test, then, other) = &data.term else { return None };
    let inst = graph.inst(*test);
    if inst.op != Op::CmpInt(CmpOp::Lt) || !blocks.contains(&then.block?) || blocks.contains(&other.block?) {
        return None;
    }
    let (param, stop) = (inst.args[0], inst.args[1]);
    let made_inside = blocks.iter().any(|b| {
        let block = &graph.blocks[b.0 as usize];
        block.insts.contains(&stop) || block.params.contains(&stop)
    });
    (data.params.contains(&param) && !made_inside).then_some((param, stop))
}

/// What a block passes to a parameter of another one.
fn passed(graph: &Graph, from: Block, to: Block, param: Val) -> Option<Val> {
    let index = graph.blocks[to.0 as usize].params.iter().position(|p| *p == param)?;
    let edge = match &graph.blocks[from.0 as usize].term {
        Term::Jump(edge) if edge.block == Some(to) => edge,
        _ => return None,
    };
    edge.args.get(index).copied()
}

/// Before a loop: leaves unless `0 <= start` and `stop <= len`.
fn guard_range(graph: &mut Graph, header: Header, guard: Val, start: Val, stop: Val, len: Val) {
    let mut emit = |op: Op, args: Vec<Val>, ty: Ty, exit: Option<ExitId>| {
        let val = graph.value(Inst { op, args, ty: Some(ty), exit });
        graph.inherits(val, guard);
        graph.block(header.before).insts.push(val);
        val
    };
    let zero = emit(Op::Int(0), Vec::new(), Ty::Int, None);
    let end = emit(Op::RawToInt, vec![len], Ty::Int, None);
    for (a, b) in [(zero, start), (stop, end)] {
        let holds = emit(Op::CmpInt(CmpOp::Le), vec![a, b], Ty::Bool, None);
        emit(Op::GuardTrue, vec![holds], Ty::Bool, Some(header.exit));
    }
}

/// Sums in a row need no check each when the numbers that they begin with are near: those are looked at instead, where they are
/// fewer.
pub fn relax_sums(graph: &mut Graph) {
    let saved = (0..graph.blocks.len()).map(|index| relax_block(graph, Block(index as u32))).sum();
    graph.tally.add("overflow checks shared", saved);
}

fn relax_block(graph: &mut Graph, block: Block) -> usize {
    let is_sum = |graph: &Graph, val: Val| {
        matches!(graph.inst(val).op, Op::IntAdd | Op::IntSub) && !graph.far.contains(&val)
    };
    let insts = graph.blocks[block.0 as usize].insts.clone();
    let sums: Vec<Val> = insts.iter().copied().filter(|val| is_sum(graph, *val)).collect();
    // Where sums begin, and what they are less than when those are near.
    let mut roots: Vec<Val> = Vec::new();
    let mut bounds = graph.bounds.clone();
    let mut relaxed: Vec<Val> = Vec::new();
    for sum in sums {
        let mut bound = 0i64;
        for arg in graph.inst(sum).args.clone() {
            let known = match bounds.get(&arg).copied().or_else(|| graph.bound(arg)) {
                Some(known) => known,
                None => {
                    roots.push(arg);
                    bounds.insert(arg, NEAR);
                    NEAR
                }
            };
            bound = bound.saturating_add(known);
        }
        if bound < SMALL {
            bounds.insert(sum, bound);
            relaxed.push(sum);
        }
    }
    if relaxed.len() < 2 * roots.len() || relaxed.is_empty() {
        return 0;
    }
    let mut out = Vec::with_capacity(insts.len() + roots.len());
    for val in insts {
        if relaxed.contains(&val) {
            let (args, exit) = (graph.inst(val).args.clone(), graph.inst(val).exit);
            for arg in args {
                if let Some(at) = roots.iter().position(|root| *root == arg) {
                    roots.swap_remove(at);
                    let near = Inst { op: Op::GuardNear, args: vec![arg], ty: Some(Ty::Int), exit };
                    let near = graph.value(near);
                    graph.inherits(near, val);
                    out.push(near);
                }
            }
            let sum = &mut graph.insts[val.0 as usize];
            sum.op = if sum.op == Op::IntAdd { Op::IntAddQuick } else { Op::IntSubQuick };
            sum.exit = None;
        }
        out.push(val);
    }
    graph.block(block).insts = out;
    // What the roots are less than holds behind their guards only; the sums stand there.
    let known = relaxed.iter().filter_map(|sum| Some((*sum, *bounds.get(sum)?)));
    graph.bounds.extend(known);
    relaxed.len()
}

/// In loops that make no objects no collection becomes due: they look at the flag alone.
pub fn quicken_polls(graph: &mut Graph) {
    for Loop { blocks, .. } in loops(graph) {
        let insts = |graph: &Graph| -> Vec<Val> {
            blocks.iter().flat_map(|b| graph.blocks[b.0 as usize].insts.clone()).collect()
        };
        let all = insts(graph);
        let makes = |val: &Val| {
            matches!(
                graph.inst(*val).op,
                Op::Step(_)
                    | Op::New(_)
                    | Op::Quick(_)
                    | Op::Instance
                    | Op::BoxFloat
                    | Op::Dec
                    | Op::PushFrame(_)
                    | Op::PopFrame
            )
        };
        if all.iter().any(makes) {
            continue;
        }
        for val in all {
            if graph.inst(val).op == Op::Poll {
                graph.insts[val.0 as usize].op = Op::PollFlag;
            }
        }
    }
}

fn invariant(graph: &Graph, val: Val, inside: &HashSet<Val>, writes: &Writes) -> bool {
    let inst = graph.inst(val);
    if inst.args.iter().any(|arg| inside.contains(arg)) {
        return false;
    }
    match inst.op {
        // Constants cost nothing where they stand.
        Op::Int(_) | Op::Float(_) | Op::Bool(_) | Op::Word(_) | Op::Raw(_) => true,
        Op::LoadReg(reg) => !writes.registers.contains(&reg),
        op => match op.reads() {
            Some(Region::Frame | Region::Tuple) => true,
            Some(region) => !writes.everything && !writes.regions.contains(&region),
            None => op.is_pure(),
        },
    }
}

/// Leaves out what nobody needs.
pub fn sweep(graph: &mut Graph) {
    let mut live: HashSet<Val> = HashSet::new();
    let mut exits: HashSet<ExitId> = HashSet::new();
    let mut todo: Vec<Val> = Vec::new();
    let reachable = reachable(graph);
    for block in &reachable {
        let data = &graph.blocks[block.0 as usize];
        todo.extend(data.insts.iter().copied().filter(|v| graph.inst(*v).is_needed()));
        match &data.term {
            Term::Branch(cond, _, _) => todo.push(*cond),
            Term::Exit(exit) => todo.extend(needed(graph, *exit, &mut exits)),
            Term::Jump(_) | Term::Open => {}
        }
    }
    loop {
        while let Some(val) = todo.pop() {
            if !live.insert(val) {
                continue;
            }
            let inst = graph.inst(val).clone();
            todo.extend(&inst.args);
            if let Some(exit) = inst.exit {
                todo.extend(needed(graph, exit, &mut exits));
            }
        }
        // What is passed to a parameter that is needed.
        for block in &reachable {
            let term = graph.blocks[block.0 as usize].term.clone();
            let edges = match term {
                Term::Jump(a) => vec![a],
                Term::Branch(_, a, b) => vec![a, b],
                _ => Vec::new(),
            };
            for edge in edges {
                let Some(target) = edge.block else { continue };
                let params = &graph.blocks[target.0 as usize].params;
                let pairs = params.iter().zip(&edge.args);
                todo.extend(pairs.filter(|(p, a)| live.contains(p) && !live.contains(a)).map(|(_, a)| *a));
            }
        }
        if todo.is_empty() {
            break;
        }
    }
    let mut gone = 0;
    for index in 0..graph.blocks.len() {
        let block = &mut graph.blocks[index];
        let before = block.insts.len();
        block.insts.retain(|v| live.contains(v));
        gone += before - block.insts.len();
        drop_params(graph, Block(index as u32), &live);
    }
    graph.tally.add("operations left out", gone);
}

fn needed(graph: &Graph, exit: ExitId, seen: &mut HashSet<ExitId>) -> Vec<Val> {
    if seen.insert(exit) { graph.exits[exit.0 as usize].values() } else { Vec::new() }
}

/// The blocks that the first one leads to.
pub fn reachable(graph: &Graph) -> Vec<Block> {
    let mut seen = HashSet::new();
    let mut todo = vec![Block(0)];
    while let Some(block) = todo.pop() {
        if seen.insert(block) {
            todo.extend(successors(&graph.blocks[block.0 as usize].term));
        }
    }
    let mut order: Vec<Block> = seen.into_iter().collect();
    order.sort();
    order
}

/// Takes out the parameters of a block that nobody needs, and what is passed to them.
fn drop_params(graph: &mut Graph, block: Block, live: &HashSet<Val>) {
    let keep: Vec<bool> =
        graph.blocks[block.0 as usize].params.iter().map(|param| live.contains(param)).collect();
    if keep.iter().all(|k| *k) {
        return;
    }
    let filter = |values: &mut Vec<Val>| {
        let mut kept = keep.iter();
        values.retain(|_| *kept.next().unwrap_or(&true));
    };
    filter(&mut graph.block(block).params);
    for data in &mut graph.blocks {
        let edges: Vec<&mut crate::ir::Edge> = match &mut data.term {
            Term::Jump(a) => vec![a],
            Term::Branch(_, a, b) => vec![a, b],
            _ => Vec::new(),
        };
        edges.into_iter().filter(|e| e.block == Some(block)).for_each(|e| filter(&mut e.args));
    }
}
