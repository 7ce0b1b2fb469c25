//! The one list of native modules.

use pellucid_object::ModuleDef;

/// All native modules, group by group.
pub static GROUPS: &[&[&ModuleDef]] = &[
    &[&crate::imp::MODULE],
    pellucid_native_core::MODULES,
    pellucid_native_text::MODULES,
    pellucid_native_data::MODULES,
    pellucid_native_sys::MODULES,
    pellucid_native_os::MODULES,
    pellucid_native_lang::MODULES,
    pellucid_lens::MODULES,
];

/// All native modules.
pub fn all() -> impl Iterator<Item = &'static ModuleDef> {
    GROUPS.iter().flat_map(|group| group.iter().copied())
}
