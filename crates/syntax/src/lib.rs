//! Source text: decoding, lines, the parser, and SyntaxErrors in CPython's words.
