//! The registry of commands: one table from which keys, help, palette, `:` commands and documents come.
//!
//! It says what a command is called, what it risks, who may run it and why it is not available
//! now. It does not run anything: each skin maps a [`CommandId`] to the verb of the library.

mod availability;
mod entry;
mod key;
mod table;

pub use availability::{Facts, Need};
pub use entry::{Command, CommandId, Group, Risk, Scope};
pub use key::{InvalidKey, Key, Press, sequence};
pub use table::COMMANDS;

/// The command with this id.
#[must_use]
pub fn command(id: CommandId) -> &'static Command {
    &COMMANDS[id as usize]
}

/// The command that a person names by its words, as in `tenant list`.
#[must_use]
pub fn by_words(words: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.words == words)
}

/// The command that a key means in a scope: the scope's own keys first, then those of every scope.
#[must_use]
pub fn by_key(key: Key, scope: Scope) -> Option<&'static Command> {
    let bound = |in_scope: fn(&Command, Scope) -> bool| {
        COMMANDS.iter().find(|command| {
            in_scope(command, scope) && command.keys().any(|candidate| candidate == [key])
        })
    };
    bound(|command, scope| command.scopes.contains(&scope))
        .or_else(|| bound(|command, _| command.scopes.contains(&Scope::Everywhere)))
}
