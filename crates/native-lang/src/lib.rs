//! Native modules about the language: _ast, _tokenize, _symtable, compile().
