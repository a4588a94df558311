//! What things look like, by meaning and never by colour name: roles, themes, symbols.
//!
//! With colour off every style has modifiers only and no colour at all: ratatui and crossterm
//! would otherwise send an empty colour sequence, which resets bold and reverse (seen).

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::config::ThemeName;

/// A set of colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// For dark terminals.
    #[default]
    Dark,
    /// For light terminals.
    Light,
    /// Black, white and few strong colours.
    HighContrast,
    /// No colour: modifiers only.
    Plain,
    /// As dark, in red: nobody takes it for a place to try something out.
    Production,
}

/// Whether there are colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colours {
    /// None: modifiers and signs only.
    Never,
    /// As the configuration says.
    #[default]
    Configured,
    /// In any case, also where the configuration says `plain`.
    Always,
}

/// What decides on the theme: the surroundings, then the profile, then the console's own setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Themes {
    /// What the surroundings say.
    pub colours: Colours,
    /// The theme where a profile has none of its own.
    pub usual: Option<ThemeName>,
}

impl Themes {
    /// The theme at a profile with this one.
    #[must_use]
    pub fn of(self, own: Option<ThemeName>) -> Theme {
        match (self.colours, own.or(self.usual)) {
            (Colours::Never, _) | (Colours::Configured, Some(ThemeName::Plain)) => Theme::Plain,
            (_, None | Some(ThemeName::Dark)) | (Colours::Always, Some(ThemeName::Plain)) => {
                Theme::Dark
            }
            (_, Some(ThemeName::Light)) => Theme::Light,
            (_, Some(ThemeName::HighContrast)) => Theme::HighContrast,
            (_, Some(ThemeName::Production)) => Theme::Production,
        }
    }

    /// Whether the place is loud, with colours or without.
    #[must_use]
    pub fn is_loud(self, own: Option<ThemeName>) -> bool {
        own.or(self.usual) == Some(ThemeName::Production)
    }
}

/// What a piece of the screen means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Text,
    Dim,
    Title,
    Border,
    Focus,
    Selected,
    Header,
    Key,
    Good,
    Warn,
    Bad,
    Null,
    /// The frame while impersonating to read.
    Read,
    /// The frame while impersonating to write.
    Write,
    Field,
    /// The header of a place that is loud.
    Loud,
}

impl Theme {
    pub(crate) const fn style(self, role: Role) -> Style {
        let modified = Style::new().add_modifier(self.modifier(role));
        let (front, back) = match self {
            Self::Plain => return modified,
            Self::Dark => dark(role),
            Self::Light => light(role),
            Self::HighContrast => contrast(role),
            Self::Production => production(role),
        };
        modified.fg(front).bg(back)
    }

    const fn modifier(self, role: Role) -> Modifier {
        let plain = matches!(self, Self::Plain);
        match role {
            Role::Bad | Role::Write | Role::Loud if plain => {
                Modifier::BOLD.union(Modifier::REVERSED)
            }
            Role::Selected | Role::Read if plain => Modifier::REVERSED,
            Role::Field if plain => Modifier::UNDERLINED,
            Role::Dim | Role::Null if plain => Modifier::DIM,
            Role::Title
            | Role::Focus
            | Role::Key
            | Role::Header
            | Role::Bad
            | Role::Write
            | Role::Read
            | Role::Loud => Modifier::BOLD,
            Role::Warn if plain => Modifier::BOLD,
            Role::Null => Modifier::ITALIC,
            _ => Modifier::empty(),
        }
    }
}

const fn dark(role: Role) -> (Color, Color) {
    match role {
        Role::Text | Role::Title => (Color::Reset, Color::Reset),
        Role::Dim | Role::Border | Role::Null => (Color::DarkGray, Color::Reset),
        Role::Focus | Role::Key | Role::Header => (Color::Cyan, Color::Reset),
        Role::Selected => (Color::Black, Color::Cyan),
        Role::Good => (Color::Green, Color::Reset),
        Role::Warn => (Color::Yellow, Color::Reset),
        Role::Bad => (Color::LightRed, Color::Reset),
        Role::Read => (Color::Black, Color::Yellow),
        Role::Write | Role::Loud => (Color::White, Color::Red),
        Role::Field => (Color::White, Color::DarkGray),
    }
}

/// Red wherever dark has an accent or a line.
const fn production(role: Role) -> (Color, Color) {
    match role {
        Role::Border => (Color::Red, Color::Reset),
        Role::Focus | Role::Key | Role::Header => (Color::LightRed, Color::Reset),
        Role::Selected => (Color::White, Color::Red),
        // Told apart from the accents.
        Role::Bad => (Color::LightMagenta, Color::Reset),
        _ => dark(role),
    }
}

const fn light(role: Role) -> (Color, Color) {
    match role {
        Role::Text | Role::Title => (Color::Reset, Color::Reset),
        Role::Dim | Role::Border | Role::Null => (Color::DarkGray, Color::Reset),
        Role::Focus | Role::Key | Role::Header => (Color::Blue, Color::Reset),
        Role::Selected => (Color::White, Color::Blue),
        Role::Good => (Color::Green, Color::Reset),
        Role::Warn => (Color::Magenta, Color::Reset),
        Role::Bad => (Color::Red, Color::Reset),
        Role::Read => (Color::Black, Color::Yellow),
        Role::Write | Role::Loud => (Color::White, Color::Red),
        Role::Field => (Color::Black, Color::Gray),
    }
}

const fn contrast(role: Role) -> (Color, Color) {
    match role {
        Role::Selected => (Color::Black, Color::White),
        Role::Key | Role::Focus | Role::Header => (Color::Yellow, Color::Black),
        Role::Good => (Color::LightGreen, Color::Black),
        Role::Warn | Role::Null => (Color::LightYellow, Color::Black),
        Role::Bad => (Color::LightRed, Color::Black),
        Role::Read => (Color::Black, Color::LightYellow),
        Role::Write | Role::Loud => (Color::White, Color::Red),
        Role::Field => (Color::Black, Color::LightCyan),
        _ => (Color::White, Color::Black),
    }
}

/// The signs that stand beside colours and draw lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Symbols {
    pub(crate) border: border::Set<'static>,
    pub(crate) frame_read: border::Set<'static>,
    pub(crate) frame_write: border::Set<'static>,
    pub(crate) more: &'static str,
    pub(crate) crumb: &'static str,
    pub(crate) acts_as: &'static str,
    pub(crate) dot: &'static str,
    pub(crate) good: &'static str,
    pub(crate) soft: &'static str,
    pub(crate) hard: &'static str,
    pub(crate) full: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) ascending: &'static str,
    pub(crate) descending: &'static str,
    pub(crate) about: &'static str,
    pub(crate) choice: (&'static str, &'static str),
    /// To a parent, to children.
    pub(crate) ways: (&'static str, &'static str),
    /// Before a marked row.
    pub(crate) marked: &'static str,
}

const UNICODE: Symbols = Symbols {
    border: border::ROUNDED,
    frame_read: border::DOUBLE,
    frame_write: border::THICK,
    more: "…",
    crumb: " › ",
    acts_as: " → ",
    dot: " · ",
    good: "✓",
    soft: "▲",
    hard: "✗",
    full: "█",
    empty: "░",
    ascending: "↑",
    descending: "↓",
    about: "≈",
    ways: ("↑", "↓"),
    marked: "● ",
    choice: ("‹ ", " ›"),
};

const fn drawn(
    corner: &'static str,
    line: &'static str,
    side: &'static str,
) -> border::Set<'static> {
    border::Set {
        top_left: corner,
        top_right: corner,
        bottom_left: corner,
        bottom_right: corner,
        vertical_left: side,
        vertical_right: side,
        horizontal_top: line,
        horizontal_bottom: line,
    }
}

const ASCII: Symbols = Symbols {
    border: drawn("+", "-", "|"),
    frame_read: drawn("=", "=", "="),
    frame_write: drawn("#", "#", "#"),
    more: "~",
    crumb: " > ",
    acts_as: " -> ",
    dot: " | ",
    good: "ok",
    soft: "!",
    hard: "X",
    full: "#",
    empty: ".",
    ascending: "^",
    descending: "v",
    about: "~",
    ways: ("up", "down"),
    marked: "* ",
    choice: ("< ", " >"),
};

/// Theme and symbols together, handed to everything that draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    theme: Theme,
    ascii: bool,
    loud: bool,
}

impl Look {
    /// A theme, with drawn lines and signs or with ASCII ones.
    #[must_use]
    pub const fn new(theme: Theme, ascii: bool) -> Self {
        Self { theme, ascii, loud: false }
    }

    /// The same lines and signs at another place.
    #[must_use]
    pub const fn at(self, theme: Theme, loud: bool) -> Self {
        Self { theme, loud, ..self }
    }

    pub(crate) const fn is_loud(self) -> bool {
        self.loud
    }

    pub(crate) const fn style(self, role: Role) -> Style {
        self.theme.style(role)
    }

    pub(crate) const fn symbols(self) -> &'static Symbols {
        if self.ascii { &ASCII } else { &UNICODE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_no_style_names_one() {
        for role in [Role::Text, Role::Selected, Role::Read, Role::Write, Role::Bad, Role::Key] {
            let style = Theme::Plain.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        assert!(Theme::Plain.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
    }
}
