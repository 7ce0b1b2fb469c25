//! `itertools`: iterators over iterators, by family.

mod combinatoric;
mod combine;
mod filter;
mod group;
mod infinite;
mod tee;

use pellucid_object::{FunctionDef, ModuleDef, NativeFn, Payload, Slot, TypeDef, TypeFlags, payload};

/// The description of an iterator type of this module.
const fn iterator<T: Payload>(
    name: &'static str,
    doc: &'static str,
    slots: &'static [Slot],
    methods: &'static [FunctionDef],
) -> TypeDef {
    TypeDef {
        name,
        module: "itertools",
        base: None,
        payload: payload::<T>(),
        flags: TypeFlags::BASETYPE,
        doc,
        slots,
        methods,
        getset: &[],
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "itertools",
    doc: "Iterators over iterators.",
    functions: &[FunctionDef::new(
        "tee",
        "($module, iterable, n=2, /)",
        "A tuple of n independent iterators over one iterable.",
        NativeFn::Raw(tee::tee),
    )],
    types: &[
        &combine::ACCUMULATE,
        &combine::BATCHED,
        &combine::CHAIN,
        &combinatoric::COMBINATIONS,
        &combinatoric::COMBINATIONS_WITH_REPLACEMENT,
        &filter::COMPRESS,
        &infinite::COUNT,
        &infinite::CYCLE,
        &filter::DROP_WHILE,
        &filter::FILTER_FALSE,
        &group::GROUP_BY,
        &group::GROUPER,
        &filter::ISLICE,
        &combine::PAIRWISE,
        &combinatoric::PERMUTATIONS,
        &combinatoric::PRODUCT,
        &infinite::REPEAT,
        &filter::STAR_MAP,
        &filter::TAKE_WHILE,
        &tee::TEE,
        &tee::TEE_DATA,
        &combine::ZIP_LONGEST,
    ],
    constants: &[],
    init: None,
};
