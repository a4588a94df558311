//! The life of a tenant: how it begins, and the demo that shows many of them.

pub mod demo;
pub mod operators;
pub mod provision;
