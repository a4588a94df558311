//! One of several: turned with the arrows, or found by typing a part of it.

use crate::command::{Key, Press};
use crate::tui::key::is_printable;

/// The options, and the one that is chosen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    options: Vec<String>,
    index: usize,
    /// What was typed to find one.
    typed: String,
}

/// More than so many are rather found than turned to.
const FEW: usize = 6;

impl Choice {
    pub(crate) fn new(options: Vec<String>) -> Self {
        Self { options, ..Self::default() }
    }

    /// Adds more options; what is chosen stays.
    pub(crate) fn extend(&mut self, more: impl IntoIterator<Item = String>) {
        self.options.extend(more);
    }

    /// Chooses one.
    pub(crate) fn choose(&mut self, index: usize) {
        self.index = index.min(self.options.len().saturating_sub(1));
    }

    /// Which one is chosen.
    pub(crate) const fn index(&self) -> usize {
        self.index
    }

    /// Its text.
    pub(crate) fn value(&self) -> &str {
        self.options.get(self.index).map_or("", String::as_str)
    }

    /// How many there are, and how to get to one of many.
    pub(crate) fn hint(&self) -> String {
        match (self.typed.as_str(), self.options.len()) {
            ("", 0..=FEW) => String::new(),
            ("", many) => format!("{} of {many}; type a part of it to find one", self.index + 1),
            (typed, _) => format!("found by: {typed}"),
        }
    }

    /// Gives it a key; `false` where the key means nothing here.
    pub(crate) fn press(&mut self, key: Key) -> bool {
        let len = self.options.len().max(1);
        match key.press {
            Press::Left => self.turn((self.index + len - 1) % len),
            Press::Right | Press::Char(' ') if !key.ctrl => self.turn((self.index + 1) % len),
            Press::Backspace => {
                self.typed.pop();
            }
            Press::Char(c) if is_printable(key) => self.find(c),
            _ => return false,
        }
        true
    }

    fn turn(&mut self, index: usize) {
        self.index = index;
        self.typed.clear();
    }

    /// One letter more: the chosen one stays while it still fits, else the next that does; a
    /// letter that nothing fits is not taken.
    fn find(&mut self, c: char) {
        let part = format!("{}{}", self.typed, c.to_lowercase());
        let len = self.options.len();
        let from_here = (0..len).map(|step| (self.index + step) % len);
        let found = from_here.into_iter().find(|index| {
            self.options.get(*index).is_some_and(|option| option.to_lowercase().contains(&part))
        });
        if let Some(index) = found {
            (self.index, self.typed) = (index, part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::sequence;

    fn choice() -> Choice {
        let people = ["ann@acme.test", "bo@acme.test", "bob@acme.test", "Eve@acme.test"];
        Choice::new(people.map(str::to_owned).to_vec())
    }

    fn after(keys: &str) -> String {
        let mut choice = choice();
        for key in sequence(keys).unwrap() {
            choice.press(key);
        }
        choice.value().to_owned()
    }

    #[test]
    fn arrows_turn_around_and_letters_find() {
        assert_eq!(after("right right"), "bob@acme.test");
        assert_eq!(after("left"), "Eve@acme.test");
        assert_eq!(after("b o b"), "bob@acme.test");
        assert_eq!(after("e v"), "Eve@acme.test");
        assert_eq!(after("b o x b"), "bob@acme.test", "a letter that nothing fits is not taken");
        assert_eq!(after("b o right e"), "bob@acme.test", "turning begins a new search");
        assert!(!choice().press("enter".parse().unwrap()));
        assert!(!Choice::default().press("ctrl-s".parse().unwrap()));
        assert_eq!(Choice::default().value(), "");
    }
}
