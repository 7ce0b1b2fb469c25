//! From syntax tree to code object: symbol table, code generation, flow graph and peephole, assembly. Never sees a heap object.
