//! Questions to the person at the terminal; without one, the flag that answers them is named.
//! Ctrl-C is an answer, too: the command then ends as everywhere.

use std::io::{self, BufRead};

use super::output::Printer;
use super::signals::Signals;
use crate::failure::{Failure, Kind};
use crate::identity::TenantSlug;

/// Asks, or says which flag is missing.
pub struct Asker {
    yes: bool,
    terminal: bool,
    /// Away while somebody is waited for.
    input: Option<Box<dyn BufRead + Send>>,
    signals: Signals,
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
        Self { yes, terminal, input: Some(input), signals }
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

    /// The slug of the tenant that is about to change; `--yes` never answers this.
    ///
    /// # Errors
    /// Where another slug is given, or none and nobody can be asked.
    pub fn slug(
        &mut self,
        printer: &mut Printer,
        given: Option<&str>,
        slug: &TenantSlug,
    ) -> Result<(), Failure> {
        let typed = match given {
            Some(given) => given.to_owned(),
            None => self.ask(printer, &format!("Type `{slug}` to go on:"), "--confirm")?,
        };
        if typed == slug.as_str() {
            return Ok(());
        }
        Err(Failure::refused(format!("`{typed}` is not `{slug}`; nothing was changed")))
    }

    /// A text that a flag would have given.
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
        if answer.is_empty() { Err(missing(flag)) } else { Ok(answer) }
    }

    fn ask(
        &mut self,
        printer: &mut Printer,
        question: &str,
        flag: &str,
    ) -> Result<String, Failure> {
        if !self.terminal {
            return Err(missing(flag));
        }
        let Some(mut input) = self.input.take() else { return Err(missing(flag)) };
        printer.question(question);
        let read = move || {
            let mut line = String::new();
            let read = input.read_line(&mut line);
            (input, read.map(|count| (count > 0).then_some(line)))
        };
        let answered = self.signals.leave_when_asked(read);
        let answered = answered.inspect_err(|_| printer.break_off());
        let (input, line) = answered?;
        self.input = Some(input);
        let line = line.map_err(|error| {
            Failure::refused("standard input cannot be read").caused_by(error.to_string())
        })?;
        line.map(|line| line.trim().to_owned()).ok_or_else(|| missing(flag))
    }
}

fn missing(flag: &str) -> Failure {
    Failure::new(Kind::Usage, format!("`{flag}` is missing, and nobody is there to be asked"))
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
    fn yes_never_stands_for_the_slug() {
        let (mut printer, ..) = captured(PLAIN);
        let slug: TenantSlug = "acme".parse().unwrap();
        let failure = asker(true, false, "").slug(&mut printer, None, &slug).unwrap_err();
        assert!(failure.message.contains("--confirm"), "{failure}");
        assert!(asker(true, false, "").slug(&mut printer, Some("globex"), &slug).is_err());
        assert!(asker(false, false, "").slug(&mut printer, Some("acme"), &slug).is_ok());
        assert!(asker(false, true, "acme\n").slug(&mut printer, None, &slug).is_ok());
        assert!(asker(false, true, "y\n").slug(&mut printer, None, &slug).is_err());
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
