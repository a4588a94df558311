//! `tables list`: the relation map as it is installed, with estimated rows.
