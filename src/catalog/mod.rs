//! What the database says about itself: a plain value, loaded once, that pure functions decide on.

mod load;
mod relation;

pub use load::{CatalogError, load};
pub use relation::{
    Catalog, CatalogRelation, Column, ForeignKey, Function, Policy, RelationKind, Rights, Role,
    Sequence,
};
