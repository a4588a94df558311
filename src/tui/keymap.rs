//! Keys, derived from the registry of commands and rebindable by the configuration.
//!
//! A bad or conflicting binding is reported and left out; it never stops the console.

use std::collections::BTreeMap;

use super::key::{Chord, sequence};
use crate::command::registry::{COMMANDS, Command, CommandId, Place, by_words, command};

/// What the keys pressed so far mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A command.
    Run(CommandId),
    /// The beginning of longer sequences: the next key and the command it completes.
    Wait(Vec<(Chord, CommandId)>),
    /// Nothing.
    Nothing,
}

/// The bindings.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<(CommandId, Vec<Chord>)>,
    complaints: Vec<String>,
}

impl Keymap {
    /// The default keys, and in their place those of the configuration: words of a command to
    /// its keys. An empty list leaves the command without a key.
    #[must_use]
    pub fn derive(overrides: &BTreeMap<String, Vec<String>>) -> Self {
        let mut keymap = Self { bindings: Vec::new(), complaints: Vec::new() };
        for words in overrides.keys().filter(|words| by_words(words).is_none()) {
            keymap.complaints.push(format!("keys: there is no command `{words}`"));
        }
        for command in COMMANDS {
            match overrides.get(command.words) {
                Some(keys) => keys.iter().for_each(|key| keymap.bind(command, key)),
                None => command.keys.iter().for_each(|key| keymap.bind(command, key)),
            }
        }
        keymap
    }

    fn bind(&mut self, new: &Command, key: &str) {
        let keys = match sequence(key) {
            Ok(keys) => keys,
            Err(unknown) => return self.complaints.push(format!("keys: {}: {unknown}", new.words)),
        };
        if keys[0] == Chord::plain(crossterm::event::KeyCode::Esc) {
            return self.complaints.push(format!("keys: {}: `esc` always goes back", new.words));
        }
        let clash = self.bindings.iter().find(|(id, bound)| {
            let old = command(*id);
            let meet = old.places.iter().any(|place| new.places.contains(place));
            meet && (bound.starts_with(&keys) || keys.starts_with(bound))
        });
        if let Some((id, _)) = clash {
            let old = command(*id).words;
            let complaint = format!("keys: `{key}` is taken by `{old}`, not bound to `{}`", new.words);
            return self.complaints.push(complaint);
        }
        if let Some(objection) = keys.iter().find_map(|chord| chord.objection()) {
            self.complaints.push(format!("keys: `{key}` for `{}`: {objection}", new.words));
        }
        self.bindings.push((new.id, keys));
    }

    /// What was wrong with the bindings.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// What these keys mean at this place; a binding of the place hides one for anywhere.
    #[must_use]
    pub fn look_up(&self, place: Place, pressed: &[Chord]) -> Lookup {
        let mut waiting = Vec::new();
        for wanted in [place, Place::Anywhere] {
            for (id, keys) in &self.bindings {
                if !command(*id).places.contains(&wanted) || !keys.starts_with(pressed) {
                    continue;
                }
                match keys.get(pressed.len()) {
                    None => return Lookup::Run(*id),
                    Some(next) => waiting.push((*next, *id)),
                }
            }
        }
        if waiting.is_empty() { Lookup::Nothing } else { Lookup::Wait(waiting) }
    }

    /// All keys of a command, for people: `ctrl-p or :`.
    #[must_use]
    pub fn keys_of(&self, id: CommandId) -> String {
        let own = self.bindings.iter().filter(|(bound, _)| *bound == id);
        own.map(|(_, keys)| written(keys)).collect::<Vec<_>>().join(", ")
    }

    /// The first key of a command, for the key bar.
    #[must_use]
    pub fn key_of(&self, id: CommandId) -> Option<String> {
        self.bindings.iter().find(|(bound, _)| *bound == id).map(|(_, keys)| written(keys))
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::derive(&BTreeMap::new())
    }
}

fn written(keys: &[Chord]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(pairs: &[(&str, &[&str])]) -> Keymap {
        let own = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Keymap::derive(&pairs.iter().map(|(words, keys)| ((*words).to_owned(), own(keys))).collect())
    }

    fn run(keymap: &Keymap, place: Place, keys: &str) -> Lookup {
        keymap.look_up(place, &sequence(keys).unwrap())
    }

    #[test]
    fn the_default_keys_raise_no_complaint() {
        assert_eq!(Keymap::default().complaints(), [""; 0]);
    }

    #[test]
    fn sequences_wait_for_their_second_key() {
        let keymap = Keymap::default();
        assert_eq!(run(&keymap, Place::Tenants, "g g"), Lookup::Run(CommandId::First));
        let Lookup::Wait(next) = run(&keymap, Place::Tenants, "g") else { panic!("no sequence") };
        assert!(next.len() > 5);
        assert_eq!(run(&keymap, Place::Tenants, "g 9"), Lookup::Nothing);
    }

    #[test]
    fn a_key_of_the_place_hides_one_for_anywhere() {
        let keymap = derive(&[("run", &["r"])]);
        assert_eq!(run(&keymap, Place::Sql, "r"), Lookup::Run(CommandId::RunSql));
        assert_eq!(run(&keymap, Place::Usage, "r"), Lookup::Run(CommandId::Refresh));
    }

    #[test]
    fn bad_bindings_are_reported_and_left_out() {
        let keymap = derive(&[
            ("tenant creat", &["n"]),
            ("help", &["hyper-x", ""]),
            ("sort", &["n"]),
            ("usage", &["g"]),
            ("quit", &["alt-q"]),
            ("back", &["esc"]),
        ]);
        let complaints = keymap.complaints().join("\n");
        for part in ["`tenant creat`", "`hyper-x`", "taken by `tenant create`", "Alt", "`esc`"] {
            assert!(complaints.contains(part), "{part} not in {complaints}");
        }
        assert_eq!(run(&keymap, Place::Tenants, "n"), Lookup::Run(CommandId::CreateTenant));
    }

    #[test]
    fn keys_are_written_as_they_are_read() {
        for key in ["g g", "ctrl-p", "shift-tab", "f5", ":", "space", "alt-x", "G", "-"] {
            assert_eq!(written(&sequence(key).unwrap()), key);
        }
    }
}
