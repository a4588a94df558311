//! What lies over the screens: one stack, the last one takes the keys.

use super::act::Then;
use super::screen::impersonation::Way;
use super::screen::{FormKind, ProfileList};
use super::widget::card::Card;
use super::widget::confirm::Confirm;
use super::widget::form::Form;
use super::widget::palette::Palette;
use super::widget::pick::Pick;
use super::widget::viewer::Viewer;

/// One overlay.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    Palette(Palette),
    Card(Card),
    Confirm(Box<Confirm<Then>>),
    Form(FormKind, Form),
    Profiles(ProfileList),
    /// One value, whole.
    Viewer(Box<Viewer>),
    /// Where one can go from a row.
    Links(Vec<Way>, Pick),
    /// Earlier statements.
    History(Vec<String>, Pick),
}
