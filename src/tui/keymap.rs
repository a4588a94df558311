//! Keys, derived from the registry of commands and rebindable by the configuration.
//!
//! A bad or conflicting binding is reported and left out; it never stops the console.

use std::collections::BTreeMap;

use crate::command::{
    COMMANDS, Command, CommandId, Key, Press, Scope, by_words, command, sequence,
};

/// What the keys pressed so far mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A command.
    Run(CommandId),
    /// The beginning of longer sequences: the next key and the command it completes.
    Wait(Vec<(Key, CommandId)>),
    /// Nothing.
    Nothing,
}

/// The bindings.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: Vec<(CommandId, Vec<Key>)>,
    complaints: Vec<String>,
}

impl Keymap {
    /// The default keys, and in their place those of the configuration: words of a command to
    /// its keys. An empty list leaves the command without a key. Where a key is wanted twice, the
    /// configuration wins over a default.
    #[must_use]
    pub fn derive(overrides: &BTreeMap<String, Vec<String>>) -> Self {
        let mut keymap = Self { bindings: Vec::new(), complaints: Vec::new() };
        for words in overrides.keys().filter(|words| by_words(words).is_none()) {
            keymap.complaints.push(format!("keys: there is no command `{words}`"));
        }
        for (command, keys) in COMMANDS.iter().filter_map(|c| Some((c, overrides.get(c.words)?))) {
            for key in keys {
                keymap.bind(command, key);
            }
        }
        for command in COMMANDS.iter().filter(|c| !overrides.contains_key(c.words)) {
            for key in command.default_keys {
                keymap.bind(command, key);
            }
        }
        keymap.keep_the_way_out();
        keymap
    }

    /// One key ends an impersonation from everywhere: it is never left without one.
    fn keep_the_way_out(&mut self) {
        let end = command(CommandId::ImpersonationEnd);
        if self.key_of(end.id).is_none() {
            let kept = end.default_keys.join(", ");
            self.complaints.push(format!("keys: `{}` keeps {kept}: it needs a key", end.words));
            self.bindings.retain(|(_, keys)| !end.keys().any(|own| keys.starts_with(&own)));
            self.bindings.extend(end.keys().map(|keys| (end.id, keys)));
        }
    }

    fn bind(&mut self, new: &Command, key: &str) {
        let keys = match sequence(key) {
            Ok(keys) => keys,
            Err(unknown) => return self.complaints.push(format!("keys: {}: {unknown}", new.words)),
        };
        let escapes = keys.iter().any(|key| key.press == Press::Esc);
        if escapes && (new.id != CommandId::Back || keys.len() > 1) {
            return self.complaints.push(format!("keys: {}: `esc` always goes back", new.words));
        }
        let typed = |key: &Key| !key.ctrl && !matches!(key.press, Press::F(_));
        if new.id == CommandId::ImpersonationEnd && (keys.len() > 1 || keys.iter().any(typed)) {
            let complaint = format!(
                "keys: {}: `{key}` could be typed into a text: one key with ctrl, or f1 to f12",
                new.words
            );
            return self.complaints.push(complaint);
        }
        let clash = self.bindings.iter().find(|(id, bound)| {
            let old = command(*id);
            let meet = old.scopes.iter().any(|scope| new.scopes.contains(scope));
            meet && (bound.starts_with(&keys) || keys.starts_with(bound))
        });
        if let Some((id, _)) = clash {
            let old = command(*id).words;
            let complaint =
                format!("keys: `{key}` is taken by `{old}`, not bound to `{}`", new.words);
            return self.complaints.push(complaint);
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
    pub fn look_up(&self, scope: Scope, pressed: &[Key]) -> Lookup {
        let mut waiting = Vec::new();
        for wanted in [scope, Scope::Everywhere] {
            for (id, keys) in &self.bindings {
                if !command(*id).scopes.contains(&wanted) || !keys.starts_with(pressed) {
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
        self.each_key_of(id).collect::<Vec<_>>().join(", ")
    }

    /// Each key of a command, in order.
    pub fn each_key_of(&self, id: CommandId) -> impl Iterator<Item = String> {
        self.bindings.iter().filter(move |(bound, _)| *bound == id).map(|(_, keys)| written(keys))
    }

    /// What a sentence calls the way to a command: its first key, or what is typed after `:`.
    #[must_use]
    pub fn name(&self, id: CommandId) -> String {
        self.key_of(id).unwrap_or_else(|| format!(":{}", command(id).words))
    }

    /// The first key of a command, for the key bar.
    #[must_use]
    pub fn key_of(&self, id: CommandId) -> Option<String> {
        self.each_key_of(id).next()
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::derive(&BTreeMap::new())
    }
}

fn written(keys: &[Key]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(pairs: &[(&str, &[&str])]) -> Keymap {
        let own = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Keymap::derive(
            &pairs.iter().map(|(words, keys)| ((*words).to_owned(), own(keys))).collect(),
        )
    }

    fn run(keymap: &Keymap, scope: Scope, keys: &str) -> Lookup {
        keymap.look_up(scope, &sequence(keys).unwrap())
    }

    #[test]
    fn the_default_keys_raise_no_complaint() {
        assert_eq!(Keymap::default().complaints(), [""; 0]);
    }

    #[test]
    fn sequences_wait_for_their_second_key() {
        let keymap = Keymap::default();
        assert_eq!(run(&keymap, Scope::Tenants, "g g"), Lookup::Run(CommandId::First));
        let Lookup::Wait(next) = run(&keymap, Scope::Tenants, "g") else { panic!("no sequence") };
        assert!(next.len() > 5);
        assert_eq!(run(&keymap, Scope::Tenants, "g 9"), Lookup::Nothing);
    }

    #[test]
    fn a_key_of_the_place_hides_one_for_anywhere() {
        let keymap = derive(&[("sql run", &["r"]), ("refresh", &["r"])]);
        assert_eq!(run(&keymap, Scope::Impersonation, "r"), Lookup::Run(CommandId::SqlRun));
        assert_eq!(run(&keymap, Scope::Usage, "r"), Lookup::Run(CommandId::Refresh));
    }

    #[test]
    fn bad_bindings_are_reported_and_left_out() {
        let keymap = derive(&[
            ("tenant creat", &["n"]),
            ("filter", &["s"]),
            ("usage", &["home"]),
            ("quit", &["alt-q", "ctrl-m"]),
            ("help", &["hyper-x", "", "esc"]),
        ]);
        let complaints = keymap.complaints().join("\n");
        for part in
            ["`tenant creat`", "`hyper-x`", "taken by `filter`", "`alt-q`", "`ctrl-m`", "goes back"]
        {
            assert!(complaints.contains(part), "{part} not in {complaints}");
        }
        assert_eq!(run(&keymap, Scope::Tenants, "n"), Lookup::Run(CommandId::TenantCreate));
    }

    #[test]
    fn a_key_of_the_configuration_wins_over_a_default_and_that_is_told() {
        let keymap = derive(&[("tenant create", &["f"])]);
        assert_eq!(run(&keymap, Scope::Tenants, "f"), Lookup::Run(CommandId::TenantCreate));
        assert_eq!(
            keymap.complaints(),
            ["keys: `f` is taken by `tenant create`, not bound to `tenant find`"]
        );
    }

    #[test]
    fn an_impersonation_can_always_be_ended_with_one_key_that_no_text_takes() {
        for keys in [&[][..], &["q"], &["g x"], &["enter"]] {
            let keymap = derive(&[("impersonation end", keys)]);
            assert_eq!(keymap.keys_of(CommandId::ImpersonationEnd), "ctrl-x", "{keys:?}");
            assert!(!keymap.complaints().is_empty());
        }
        let keymap = derive(&[("impersonation end", &["f12"]), ("refresh", &["ctrl-x"])]);
        assert_eq!(keymap.keys_of(CommandId::ImpersonationEnd), "f12");
        assert_eq!(keymap.complaints(), [""; 0]);
        let keymap = derive(&[("impersonation end", &[]), ("refresh", &["ctrl-x"])]);
        assert_eq!(keymap.keys_of(CommandId::ImpersonationEnd), "ctrl-x");
        assert_eq!(keymap.keys_of(CommandId::Refresh), "");
    }

    #[test]
    fn keys_are_written_as_they_are_read() {
        for key in ["g g", "ctrl-p", "backtab", "f5", ":", "space", "G", "-"] {
            assert_eq!(written(&sequence(key).unwrap()), key);
        }
    }
}
