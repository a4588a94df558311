//! Questions to the person at the terminal; without one, the flag that answers them is named.
//! Ctrl-C is an answer, too: the command then ends as everywhere.

use std::io::{self, BufRead};

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::echo::EchoOff;
use super::output::Printer;
use super::signals::Signals;
use crate::config::env;
use crate::failure::{Failure, Kind};
use crate::identity::Reason;
use crate::profile::Wanted;

/// Asks, or says which flag is missing.
pub struct Asker {
    yes: bool,
    terminal: bool,
    /// Away while somebody is waited for.
    input: Option<Box<dyn BufRead + Send>>,
    signals: Signals,
    /// Switches the echo off while a secret is typed.
    silence: fn() -> Option<EchoOff>,
}

impl Asker {
    /// Reads answers from standard input. `terminal`: a person can see the question and answer it.
    pub(super) fn standard(yes: bool, terminal: bool, signals: Signals) -> Self {
        Self::new(yes, terminal, Box::new(io::BufReader::new(io::stdin())), signals)
    }

    /// Reads answers from anywhere.
    pub(super) fn new(
        yes: bool,
        terminal: bool,
        input: Box<dyn BufRead + Send>,
        signals: Signals,
    ) -> Self {
        Self { yes, terminal, input: Some(input), signals, silence: EchoOff::begin }
    }

    /// A yes/no question; only `y` and `yes` mean yes.
    ///
    /// # Errors
    /// Where the answer is no, or nobody can be asked and `--yes` is not given.
    pub fn confirm(&mut self, printer: &mut Printer, question: &str) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        let answer = self.ask(printer, &format!("{question} [y/N]"), "--yes")?;
        if ["y", "yes"].contains(&answer.to_lowercase().as_str()) {
            return Ok(());
        }
        Err(Failure::refused("not confirmed; nothing was changed"))
    }

    /// Says early that flags are missing, where nobody can be asked for what they would say.
    ///
    /// # Errors
    /// [`Kind::Usage`] with their names.
    pub fn can_be_asked_for(&self, flags: &[&str]) -> Result<(), Failure> {
        if self.terminal || flags.is_empty() { Ok(()) } else { Err(missing(flags)) }
    }

    /// The reason; asked again while it is none, as long as somebody answers.
    ///
    /// # Errors
    /// Where nobody can be asked, or nothing is typed.
    pub fn reason(&mut self, printer: &mut Printer) -> Result<Reason, Failure> {
        loop {
            let text = self.text(printer, "Reason, in at least 10 characters", "--reason")?;
            match text.parse::<Reason>() {
                Ok(reason) => return Ok(reason),
                Err(invalid) => printer.warning(&invalid.to_string()),
            }
        }
    }

    /// A text that a flag would have given; `--yes` never stands for it.
    ///
    /// # Errors
    /// Where nobody can be asked, or nothing is typed.
    pub fn text(
        &mut self,
        printer: &mut Printer,
        label: &str,
        flag: &str,
    ) -> Result<String, Failure> {
        let answer = self.ask(printer, &format!("{label}:"), flag)?;
        if answer.is_empty() { Err(missing(&[flag])) } else { Ok(answer) }
    }

    /// Whether somebody can be asked.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.terminal && self.input.is_some()
    }

    /// A secret, typed without echo; no flag stands for it.
    ///
    /// # Errors
    /// Where nobody can be asked, the echo cannot be switched off, or nothing is typed.
    pub fn secret(&mut self, printer: &mut Printer, label: &str) -> Result<SecretString, Failure> {
        let unseen = if self.terminal { (self.silence)() } else { None };
        let _unseen = unseen.ok_or_else(|| {
            Failure::refused("nobody can be asked for a password without showing it")
                .hint("give it with PGPASSWORD, or a password file (PGPASSFILE)")
        })?;
        let typed = self.read_line(printer, &format!("{label}:"), "PGPASSWORD")?;
        // A password may begin or end with a space.
        let typed = typed.map(|line| SecretString::from(line.trim_end_matches(['\n', '\r'])));
        typed
            .filter(|typed| !typed.expose_secret().is_empty())
            .ok_or_else(|| Failure::refused("no password was typed"))
    }

    /// What a profile needs, typed unseen; what is new is typed twice.
    ///
    /// # Errors
    /// Where nobody can be asked, nothing is typed, or the two are not the same.
    pub fn wanted(
        &mut self,
        printer: &mut Printer,
        wanted: &Wanted,
    ) -> Result<SecretString, Failure> {
        if !self.is_there() {
            return Err(nobody_types(wanted));
        }
        if wanted.is_new() {
            return self.twice(printer, &wanted.to_string());
        }
        self.secret(printer, &wanted.to_string())
    }

    /// A secret that is kept: typed twice, because nobody sees it.
    ///
    /// # Errors
    /// Where nobody can be asked, nothing is typed, or the two differ.
    pub fn twice(&mut self, printer: &mut Printer, label: &str) -> Result<SecretString, Failure> {
        let first = self.secret(printer, label)?;
        let again = self.secret(printer, "The same again")?;
        if first.expose_secret() == again.expose_secret() {
            return Ok(first);
        }
        Err(Failure::refused("the two are not the same; nothing was changed"))
    }

    /// The first line of standard input, for a program that knows the secret.
    ///
    /// # Errors
    /// Where there is none.
    pub fn secret_line(&mut self) -> Result<SecretString, Failure> {
        let line = self.line()?.map(Zeroizing::new);
        let line = line.as_ref().map(|line| line.trim_end_matches(['\n', '\r']));
        let line = line.filter(|line| !line.is_empty());
        let empty = || Failure::new(Kind::Usage, "standard input holds no password");
        line.map(SecretString::from).ok_or_else(empty)
    }

    fn ask(
        &mut self,
        printer: &mut Printer,
        question: &str,
        flag: &str,
    ) -> Result<String, Failure> {
        let line = self.read_line(printer, question, flag)?;
        line.map(|line| line.trim().to_owned()).ok_or_else(|| missing(&[flag]))
    }

    /// One line as it was typed; none at the end of the input.
    fn read_line(
        &mut self,
        printer: &mut Printer,
        question: &str,
        flag: &str,
    ) -> Result<Option<String>, Failure> {
        self.can_be_asked_for(&[flag])?;
        if self.input.is_none() {
            return Err(missing(&[flag]));
        }
        printer.question(question);
        self.line().inspect_err(|_| printer.break_off())
    }

    /// The next line of standard input; none at its end.
    fn line(&mut self) -> Result<Option<String>, Failure> {
        let Some(mut input) = self.input.take() else { return Ok(None) };
        let read = move || {
            let mut line = String::new();
            let read = input.read_line(&mut line);
            (input, read.map(|count| (count > 0).then_some(line)))
        };
        let (input, line) = self.signals.leave_when_asked(read)?;
        self.input = Some(input);
        line.map_err(|error| {
            Failure::refused("standard input cannot be read").caused_by(error.to_string())
        })
    }
}

fn nobody_types(wanted: &Wanted) -> Failure {
    let failure =
        |what: &str| Failure::new(Kind::Usage, format!("{what}, and nobody is there to be asked"));
    match wanted {
        Wanted::Password(name) => failure(&format!("the password of profile {name} is asked for"))
            .hint("a profile can take it from `keyring`, `file` or `env:VARIABLE` instead"),
        Wanted::NewPassword(_) => failure("`--password-stdin` is missing"),
        Wanted::Passphrase | Wanted::NewPassphrase => {
            failure("the file of passwords needs its passphrase")
                .hint(format!("{} can hold it", env::PASSPHRASE.name))
        }
    }
}

fn missing(flags: &[&str]) -> Failure {
    let named: Vec<String> = flags.iter().map(|flag| format!("`{flag}`")).collect();
    let are = if named.len() == 1 { "is" } else { "are" };
    let message = format!("{} {are} missing, and nobody is there to be asked", named.join(" and "));
    Failure::new(Kind::Usage, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::tests::{PLAIN, captured};

    fn asker(yes: bool, terminal: bool, typed: &'static str) -> Asker {
        Asker::new(yes, terminal, Box::new(typed.as_bytes()), Signals::unheard())
    }

    #[test]
    fn only_yes_means_yes() {
        let (mut printer, out, err) = captured(PLAIN);
        for (typed, sure) in
            [("y\n", true), ("YES\n", true), ("\n", false), ("yep\n", false), ("", false)]
        {
            assert_eq!(
                asker(false, true, typed).confirm(&mut printer, "Sure?").is_ok(),
                sure,
                "{typed:?}"
            );
        }
        assert!(err.text().starts_with("Sure? [y/N] "));
        assert_eq!(out.text(), "");
    }

    #[test]
    fn without_a_terminal_the_missing_flag_is_named() {
        let (mut printer, _, err) = captured(PLAIN);
        let failure = asker(false, false, "y\n").confirm(&mut printer, "Sure?").unwrap_err();
        assert_eq!(failure.kind, Kind::Usage);
        assert!(failure.message.contains("--yes"), "{failure}");
        assert!(asker(true, false, "").confirm(&mut printer, "Sure?").is_ok());
        assert_eq!(err.text(), "");
    }

    #[test]
    fn yes_never_stands_for_a_text() {
        let (mut printer, ..) = captured(PLAIN);
        let mut typed = asker(true, true, "acme\n");
        assert_eq!(typed.text(&mut printer, "Type `acme`", "--confirm").unwrap(), "acme");
        let failure = asker(true, false, "").text(&mut printer, "Type", "--confirm").unwrap_err();
        assert!(failure.message.starts_with("`--confirm` is missing"), "{failure}");
        let failure = asker(true, false, "").can_be_asked_for(&["--confirm", "--reason"]);
        let failure = failure.unwrap_err();
        assert!(failure.message.starts_with("`--confirm` and `--reason` are missing"), "{failure}");
        assert!(asker(true, true, "").can_be_asked_for(&["--confirm"]).is_ok());
    }

    #[test]
    fn a_reason_is_asked_for_until_it_is_one() {
        let (mut printer, _, err) = captured(PLAIN);
        let mut person = asker(false, true, "oops\nticket 4711 asks for it\n");
        assert_eq!(person.reason(&mut printer).unwrap().as_str(), "ticket 4711 asks for it");
        assert_eq!(err.text().matches("Reason").count(), 2, "{}", err.text());
        assert!(asker(false, true, "oops\n").reason(&mut printer).is_err(), "nobody answers");
    }

    #[test]
    fn a_secret_is_asked_for_only_where_it_is_not_shown() {
        let (mut printer, out, err) = captured(PLAIN);
        let mut person = asker(false, true, " c4n4ry \nagain\n");
        person.silence = || Some(EchoOff::none());
        let typed = person.secret(&mut printer, "Password of ada").unwrap();
        assert_eq!(typed.expose_secret(), " c4n4ry ");
        assert!(err.text().starts_with("Password of ada: "), "{}", err.text());
        assert!(!format!("{typed:?}{}{}", out.text(), err.text()).contains("c4n4ry"));
        person.silence = || None;
        assert!(person.secret(&mut printer, "Password of ada").is_err(), "it would be shown");
        let mut nobody = asker(true, false, "c4n4ry\n");
        nobody.silence = || Some(EchoOff::none());
        assert!(!nobody.is_there() && nobody.secret(&mut printer, "x").is_err());
    }

    #[test]
    fn a_new_secret_is_typed_twice_and_never_shown() {
        let (mut printer, out, err) = captured(PLAIN);
        let name: crate::config::ProfileName = "eu".parse().unwrap();
        let (new, known) = (Wanted::NewPassword(name.clone()), Wanted::Password(name));
        let typing = |terminal, typed| {
            let mut asker = asker(true, terminal, typed);
            asker.silence = || Some(EchoOff::none());
            asker
        };
        let typed = typing(true, "c4n4ry \nc4n4ry \n").wanted(&mut printer, &new);
        assert_eq!(typed.unwrap().expose_secret(), "c4n4ry ", "spaces belong to it");
        let other = typing(true, "c4n4ry\nc4n4rx\n").wanted(&mut printer, &new);
        assert!(other.unwrap_err().message.contains("not the same"));
        let typed = typing(true, "c4n4ry\n").wanted(&mut printer, &known);
        assert_eq!(typed.unwrap().expose_secret(), "c4n4ry");
        assert!(typing(true, "\n").wanted(&mut printer, &known).is_err());
        assert!(err.text().starts_with("Password of profile eu: The same again: "));
        assert!(!(out.text() + &err.text()).contains("c4n4r"), "{}", err.text());
        let nobody = typing(false, "c4n4ry\n").wanted(&mut printer, &new).unwrap_err();
        assert!(nobody.message.contains("`--password-stdin`"), "{nobody}");
        let line = typing(false, "c4n4ry\nmore\n").secret_line().unwrap();
        assert_eq!(line.expose_secret(), "c4n4ry");
        assert!(typing(false, "").secret_line().is_err());
    }

    #[test]
    fn a_text_that_is_not_typed_is_a_missing_flag() {
        let (mut printer, ..) = captured(PLAIN);
        assert!(asker(false, true, "\n").text(&mut printer, "Reason", "--reason").is_err());
        assert_eq!(
            asker(false, true, " x \n").text(&mut printer, "Reason", "--reason").unwrap(),
            "x"
        );
    }
}
