//! The pieces that screens are made of; none of them knows a screen.

pub(super) mod card;
pub(super) mod choice;
pub(super) mod confirm;
pub(super) mod field;
pub(super) mod form;
pub(super) mod gauge;
pub(super) mod notice;
pub(super) mod palette;
pub(super) mod pane;
pub(super) mod pick;
pub(super) mod text;
pub(super) mod viewer;
pub(super) mod window;
