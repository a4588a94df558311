//! The thin binary: parse, start, choose a skin, exit code.

fn main() {}
