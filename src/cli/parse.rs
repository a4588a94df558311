//! From words to a [`CommandLine`]; what cannot be read is said as every other failure.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, FromArgMatches as _};

use super::args::{CommandLine, GlobalFlags, NO_PASSWORD};
use super::exit::Exit;
use super::look::{Look, Surroundings};
use super::output::Printer;
use crate::command::by_words;
use crate::failure::{Failure, Kind};
use crate::identity::RequestId;

/// The tree of verbs and flags; the help of each verb says who may run it and how it asks.
#[must_use]
pub fn command() -> clap::Command {
    annotated(CommandLine::command(), "")
}

/// Adds to the verbs below `words` what the registry says of them.
fn annotated(mut command: clap::Command, words: &str) -> clap::Command {
    let verbs: Vec<String> =
        command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for verb in &verbs {
        let words = format!("{words} {verb}").trim_start().to_owned();
        command = command.mut_subcommand(verb, |verb| annotated(verb, &words));
    }
    match by_words(words) {
        Some(registered) => command.after_help(registered.level_and_risk()),
        None => command,
    }
}

/// Reads the command line. Help, version and errors are printed here.
///
/// # Errors
/// How the program has to end where there is nothing to run.
pub fn parse(
    words: impl IntoIterator<Item = OsString>,
    around: &Surroundings,
) -> Result<CommandLine, Exit> {
    let words: Vec<OsString> = words.into_iter().collect();
    let read = command().try_get_matches_from(&words);
    read.and_then(|matches| CommandLine::from_arg_matches(&matches)).map_err(|error| {
        // The flags are not known yet, so the words are looked at as they are.
        let json = words.iter().take_while(|word| *word != "--").any(|word| word == "--json");
        let flags = GlobalFlags { json, ..GlobalFlags::default() };
        let mut printer = Printer::standard(Look::decide(&flags, around));
        answer(&error, &mut printer)
    })
}

/// Prints what clap has to say.
fn answer(error: &clap::Error, printer: &mut Printer) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = error.render();
        let text =
            if printer.look().out_color { text.ansi().to_string() } else { text.to_string() };
        // The text is ours alone: static help, no word from outside.
        printer.raw(text.as_bytes());
        return printer.finish().map_or_else(|failure| Exit::Failed(failure.kind), |()| Exit::Done);
    }
    printer.failure(RequestId::draw(), &usage_failure(error));
    Exit::Failed(Kind::Usage)
}

/// clap's text as a failure: its first paragraph, its tips and where to read more.
fn usage_failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    let first = text.split("\n\n").next().unwrap_or_default();
    let message = match error.get(ContextKind::InvalidArg) {
        // clap repeats the value, which here holds a password.
        Some(ContextValue::String(argument)) if argument.starts_with("--url") => NO_PASSWORD,
        _ => first.trim_start_matches("error: ").trim_end(),
    };
    let mut failure = Failure::new(Kind::Usage, message);
    for line in text.lines().map(str::trim_start) {
        if let Some(tip) = line.strip_prefix("tip: ") {
            failure = failure.hint(tip);
        }
        if let Some(usage) = line.strip_prefix("Usage: ") {
            failure = failure.hint(format!("usage is `{usage}`"));
        }
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        "a verb is missing".clone_into(&mut failure.message);
    }
    failure.hint("`--help` lists what there is")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::output::tests::{PLAIN, captured};

    fn refused(line: &str) -> clap::Error {
        CommandLine::try_parse_from(line.split(' ')).unwrap_err()
    }

    #[test]
    fn help_and_version_are_data() {
        for flag in ["--help", "--version", "-h"] {
            let (mut printer, out, err) = captured(PLAIN);
            let exit = answer(&refused(&format!("tenantdesk {flag}")), &mut printer);
            assert_eq!(exit, Exit::Done);
            assert!(out.text().contains("tenantdesk") && err.text().is_empty());
        }
    }

    #[test]
    fn the_help_of_a_verb_says_who_may_run_it_and_how_it_asks() {
        let help = |words: &[&str]| {
            let mut verb = command();
            verb.build();
            for word in words {
                verb = verb.find_subcommand(word).unwrap().clone();
            }
            verb.render_long_help().to_string()
        };
        assert!(help(&["operator", "remove"]).contains("Level: admin; asks yes or no"));
        assert!(help(&["tenant", "create"]).contains("Level: support; does not ask"));
        assert!(help(&["demo"]).contains("asks yes or no with `--reset`"));
        assert!(help(&["restore"]).contains("asks for the slug and the reason"));
    }

    #[test]
    fn a_wrong_word_is_a_usage_error_with_hints() {
        let (mut printer, out, err) = captured(PLAIN);
        let exit = answer(&refused("tenantdesk completion"), &mut printer);
        assert_eq!(exit.code(), 2);
        assert_eq!(out.text(), "");
        assert!(err.text().starts_with("error: unrecognized subcommand 'completion'"));
        assert!(
            err.text().contains("hint: some similar subcommands exist")
                || err.text().contains("hint: a similar subcommand exists: 'completions'"),
            "{}",
            err.text()
        );
    }

    #[test]
    fn a_negative_limit_is_refused_in_words() {
        let (mut printer, _, err) = captured(PLAIN);
        let line = "tenantdesk limit override acme users --hard -9 --until 2027-01-31 --reason migration_week";
        answer(&refused(line), &mut printer);
        assert!(err.text().contains("a limit is 0 or more"), "{}", err.text());
        assert!(!err.text().contains("-- -9"), "{}", err.text());
    }

    #[test]
    fn a_usage_error_has_a_json_form() {
        let (mut printer, out, err) = captured(Look { json: true, ..PLAIN });
        answer(&refused("tenantdesk man --limit 0"), &mut printer);
        let value: serde_json::Value = serde_json::from_str(&err.text()).unwrap();
        assert_eq!(value["error"]["kind"], "usage");
        assert!(value["request_id"].is_string(), "{value}");
        assert_eq!(out.text(), "");
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let (mut printer, _, err) = captured(PLAIN);
        answer(&refused("tenantdesk paths --url postgres://ada:c4n4ry@db/app"), &mut printer);
        assert!(!err.text().contains("c4n4ry"), "{}", err.text());
        for place in ["TENANTDESK_URL", "PGPASSWORD", "PGPASSFILE", "keyring"] {
            assert!(err.text().contains(place), "{}", err.text());
        }
    }

    #[test]
    fn words_from_outside_are_shown_not_obeyed() {
        let (mut printer, _, err) = captured(PLAIN);
        answer(&refused("tenantdesk \u{1b}[31mx"), &mut printer);
        assert!(!err.text().contains('\u{1b}'), "{:?}", err.text());
    }
}
