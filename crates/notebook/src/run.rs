//! Running a notebook's cells in an interpreter.

use crate::file::Notebook;
use pellucid_runtime::{Pellucid, Res, Value};

/// How a run ended.
enum End {
    Done,
    /// An error in a cell, already shown.
    Failed,
}

/// Runs all code cells. What they show goes to the interpreter's standard output as it comes; outputs are noted in the
/// notebook. Gives the exit code: 1 when a cell failed, which ends the run.
/// Errors: exceptions of the shell itself, and `SystemExit`.
pub fn run(pellucid: &Pellucid, notebook: &mut Notebook) -> Res<i32> {
    notebook.clear_outputs();
    let vm = pellucid.vm();
    let namespace = pellucid.namespace()?.into_value();
    let module = vm.import("pellucid_shell")?;
    let shell = vm.call_attr(&module, "Shell", &[namespace])?;
    for cell in notebook.code_cells() {
        if cell.source.trim().is_empty() {
            continue;
        }
        let end = run_cell(pellucid, &shell, notebook, cell.index, &cell.source)?;
        if matches!(end, End::Failed) && !cell.may_raise {
            return Ok(1);
        }
    }
    Ok(0)
}

fn run_cell(
    pellucid: &Pellucid,
    shell: &Value,
    notebook: &mut Notebook,
    index: usize,
    source: &str,
) -> Res<End> {
    let vm = pellucid.vm();
    let result = vm.call_attr(shell, "run_notebook_cell", &[vm.new_str(source)?])?;
    let items = vm.collect(&result)?;
    let [well, count, outputs] = items.as_slice() else {
        return Err(vm.system_error("the shell gave no result".to_string()));
    };
    let outputs = serde_json::from_str(&vm.expect_str(outputs)?)
        .map_err(|error| vm.value_error(format!("outputs of cell {}: {error}", index + 1)))?;
    notebook.set_outputs(index, vm.expect_i64(count)?.into(), outputs);
    if vm.truthy(well)? {
        return Ok(End::Done);
    }
    let shown = source.trim_end().lines().map(|line| format!("    {line}\n")).collect::<String>();
    pellucid.complain(&format!("\nThis cell failed (number {} of the notebook):\n{shown}", index + 1));
    Ok(End::Failed)
}
