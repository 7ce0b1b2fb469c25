//! What is done to a graph before it becomes machine code.

use crate::ir::{Block, ExitId, Graph, Op, Region, Term, Val};
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
                Op::StoreReg(reg) | Op::Clobber(reg) => drop(writes.registers.insert(reg)),
                Op::New(crate::ir::New::Append) => drop(writes.regions.insert(Region::List)),
                Op::Step(_) => writes.everything = true,
                _ => {}
            }
        }
    }
    writes
}

/// Moves out of loops what is the same at each turn, inner loops first: computations, loads of what the loop does not write,
/// and guards, which then leave before the loop begins. Gives the number of instructions moved.
pub fn hoist(graph: &mut Graph) -> usize {
    let mut moved = 0;
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
                        moved += 1;
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
    moved
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

/// Leaves out what nobody needs. Gives the number of instructions left out.
pub fn sweep(graph: &mut Graph) -> usize {
    let mut live: HashSet<Val> = HashSet::new();
    let mut exits: HashSet<ExitId> = HashSet::new();
    let mut todo: Vec<Val> = Vec::new();
    let reachable = reachable(graph);
    for block in &reachable {
        let data = &graph.blocks[block.0 as usize];
        todo.extend(data.insts.iter().copied().filter(|v| graph.inst(*v).op.is_needed()));
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
    gone
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
