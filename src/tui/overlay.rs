//! What lies over the screens: one stack, the last one takes the keys.

use super::act::Then;
use super::screen::{FormKind, ProfileList};
use super::widget::card::Card;
use super::widget::confirm::Confirm;
use super::widget::form::Form;
use super::widget::palette::Palette;

/// One overlay.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    Palette(Palette),
    Card(Card),
    Confirm(Box<Confirm<Then>>),
    Form(FormKind, Form),
    Profiles(ProfileList),
}
