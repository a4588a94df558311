//! A form: fields under each other, each with its own message when it is wrong.

use crate::command::{Key, Press};
use ratatui::Frame;
use ratatui::layout::Rect;
use tui_input::Input;

use super::choice::Choice;
use super::field;
use super::pane::overlay;
use super::text::{line, width, wrap};
use crate::tui::theme::{Look, Role};

/// What a field holds.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Text(Input),
    /// A text that nobody sees.
    Secret(Input),
    Choice(Choice),
}

/// One field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) label: &'static str,
    pub(crate) entry: Entry,
    /// What is expected, shown while the field is empty or focused.
    pub(crate) hint: String,
    /// What is wrong.
    pub(crate) fault: Option<String>,
    /// Whether the person changed it: proposals only replace what was not touched.
    pub(crate) touched: bool,
}

impl Field {
    pub(crate) fn text(label: &'static str, hint: impl Into<String>) -> Self {
        let entry = Entry::Text(Input::default());
        Self { label, entry, hint: hint.into(), fault: None, touched: false }
    }

    pub(crate) fn secret(label: &'static str) -> Self {
        let entry = Entry::Secret(Input::default());
        Self { label, entry, hint: "is not shown".to_owned(), fault: None, touched: false }
    }

    pub(crate) fn choice(label: &'static str, options: Vec<String>) -> Self {
        let entry = Entry::Choice(Choice::new(options));
        Self { label, entry, hint: String::new(), fault: None, touched: false }
    }

    pub(crate) fn with(mut self, value: &str) -> Self {
        self.entry = Entry::Text(value.into());
        self
    }

    /// What is expected, or how to choose where nothing is said.
    fn told(&self) -> String {
        match &self.entry {
            Entry::Choice(choice) if self.hint.is_empty() => choice.hint(),
            _ => self.hint.clone(),
        }
    }

    /// The text typed or chosen.
    pub(crate) fn value(&self) -> &str {
        match &self.entry {
            Entry::Text(input) | Entry::Secret(input) => input.value(),
            Entry::Choice(choice) => choice.value(),
        }
    }

    /// Which option is chosen.
    pub(crate) const fn index(&self) -> usize {
        match &self.entry {
            Entry::Text(_) | Entry::Secret(_) => 0,
            Entry::Choice(choice) => choice.index(),
        }
    }
}

/// A form.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub(crate) title: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) focus: usize,
    /// What the whole form was refused for.
    pub(crate) fault: Option<String>,
    /// What is going on after it was sent; no key changes it meanwhile.
    pub(crate) busy: Option<&'static str>,
}

/// What a key meant to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// It belongs to the form.
    Taken,
    /// The form is complete, if it is valid.
    Submit,
    /// Away with it.
    Close,
    /// The form does not know it.
    Unknown,
}

impl Form {
    pub(crate) fn new(title: impl Into<String>, fields: Vec<Field>) -> Self {
        Self { title: title.into(), fields, focus: 0, fault: None, busy: None }
    }

    /// Keys of a form are fixed: a text field must never lose a letter to a binding.
    pub(crate) fn press(&mut self, key: Key) -> Pressed {
        let last = self.fields.len().saturating_sub(1);
        match (key.press, key.ctrl) {
            (Press::Esc, _) => return Pressed::Close,
            _ if self.busy.is_some() => return Pressed::Unknown,
            (Press::Char('s'), true) => return Pressed::Submit,
            (Press::Enter, false) if self.focus == last => return Pressed::Submit,
            (Press::Enter | Press::Tab | Press::Down, false) => {
                self.focus = if self.focus == last { 0 } else { self.focus + 1 };
                return Pressed::Taken;
            }
            (Press::BackTab | Press::Up, false) => {
                self.focus = self.focus.checked_sub(1).unwrap_or(last);
                return Pressed::Taken;
            }
            _ => {}
        }
        let Some(field) = self.fields.get_mut(self.focus) else { return Pressed::Unknown };
        let taken = match &mut field.entry {
            Entry::Text(input) | Entry::Secret(input) => field::press(input, key),
            Entry::Choice(choice) => choice.press(key),
        };
        if !taken {
            return Pressed::Unknown;
        }
        field.touched = true;
        field.fault = None;
        Pressed::Taken
    }

    pub(crate) fn paste(&mut self, text: &str) {
        if let Some(Field {
            entry: Entry::Text(input) | Entry::Secret(input),
            touched,
            fault,
            ..
        }) = self.fields.get_mut(self.focus).filter(|_| self.busy.is_none())
        {
            field::paste(input, text);
            (*touched, *fault) = (true, None);
        }
    }

    /// The first field with a fault gets the focus; whether there is none.
    pub(crate) fn settle(&mut self) -> bool {
        match self.fields.iter().position(|field| field.fault.is_some()) {
            Some(wrong) => {
                self.focus = wrong;
                false
            }
            None => true,
        }
    }

    /// What stands below the fields: why the form was refused, else the fault of the field in
    /// focus where its own line cannot hold it.
    fn told(&self, room: u16) -> Vec<String> {
        let field = self.fields.get(self.focus).and_then(|field| field.fault.as_ref());
        let long = field.filter(|fault| width(fault).saturating_add(LABEL + 2) > room);
        self.fault.as_ref().or(long).map_or(Vec::new(), |fault| wrap(fault, room))
    }

    pub(crate) fn draw(&self, frame: &mut Frame<'_>, area: Rect, look: Look) {
        let wide = area.width.min(80);
        let room = wide.saturating_sub(4);
        let fault = self.told(room);
        let faults = u16::try_from(fault.len()).unwrap_or(0).min(4);
        let rows = u16::try_from(self.fields.len()).unwrap_or(0);
        // Messages get a line of their own where the terminal has room for one per field.
        let step = if area.height >= rows * 2 + faults + 4 { 2 } else { 1 };
        let inner = overlay(frame, (area, wide, rows * step + faults + 3), &self.title, look);
        let mut y = inner.y;
        for (index, one) in self.fields.iter().enumerate() {
            let at = (inner.x + 1, y, room);
            draw_field(frame, at, one, (index == self.focus, step == 2), look);
            y += step;
        }
        for text in fault.iter().take(usize::from(faults)) {
            line(frame.buffer_mut(), (inner.x + 1, y, room), text, look.style(Role::Bad), look);
            y += 1;
        }
        let keys = self.busy.unwrap_or("enter next, at the end send   ctrl-s send   esc close");
        let at = (inner.x + 1, inner.bottom().saturating_sub(1), room);
        line(frame.buffer_mut(), at, keys, look.style(Role::Dim), look);
    }
}

const LABEL: u16 = 14;

fn draw_field(
    frame: &mut Frame<'_>,
    (x, y, room): (u16, u16, u16),
    one: &Field,
    (focused, with_line): (bool, bool),
    look: Look,
) {
    let role = if focused { Role::Focus } else { Role::Text };
    line(frame.buffer_mut(), (x, y, LABEL), one.label, look.style(role), look);
    let value_room = room.saturating_sub(LABEL);
    match &one.entry {
        Entry::Text(input) => field::draw(frame, (x + LABEL, y, value_room), input, focused, look),
        Entry::Secret(input) => {
            // As many as were typed would tell how long it is: a few words are.
            let mask = Input::new("*".repeat(input.value().chars().count().min(8)));
            field::draw(frame, (x + LABEL, y, value_room), &mask, focused, look);
        }
        Entry::Choice(choice) => {
            let (left, right) = look.symbols().choice;
            let text = choice.value();
            let style = look.style(if focused { Role::Field } else { Role::Text });
            let shown = format!("{left}{}{right}", crate::text::screen(text));
            line(frame.buffer_mut(), (x + LABEL, y, value_room), &shown, style, look);
        }
    }
    let (text, role) = match &one.fault {
        Some(fault) => (format!("{} {fault}", look.symbols().hard), Role::Bad),
        None => (one.told(), Role::Dim),
    };
    if with_line {
        let at = (x + LABEL, y + 1, value_room);
        line(frame.buffer_mut(), at, &text, look.style(role), look);
    } else if one.fault.is_some() || one.value().is_empty() {
        let used = width(one.value()).saturating_add(1);
        let at = (x.saturating_add(LABEL).saturating_add(used), y, value_room.saturating_sub(used));
        line(frame.buffer_mut(), at, &text, look.style(role), look);
    }
}
