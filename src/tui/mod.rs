//! The console: a pure core (`update`, `view`), and a loop around it that owns the terminal.
//!
//! Reading order: [`app`] (state, messages), [`effect`] (what the core asks for), `press` (keys),
//! `act` (commands), `answer`, `live` (the running impersonation), `screen/`, `widget/`, [`mod@run`].
//! It knows no database: the runner of effects is handed in.

pub mod app;
pub mod effect;
pub mod facts;
pub mod key;
pub mod keymap;
pub mod run;
pub mod theme;

mod act;
mod answer;
mod chrome;
mod live;
mod open;
mod operation;
mod overlay;
mod press;
mod reason;
mod repaint;
mod request;
mod runner;
mod screen;
mod terminal;
mod view;
mod widget;

pub use app::{Message, Opening, Start, State, update};
pub use effect::{Answer, Effect, Effects, Request, RequestNo, Tell};
pub use open::{Left, Look, open};
pub use run::run;
pub use runner::Runner;
pub use theme::Colours;
pub use view::view;
