//! `config show|validate`.

use serde_json::{Value, json};

use super::args::ColorChoice;
use super::args::profile::{Config as Verb, Validate};
use super::invocation::Invocation;
use super::table::{Column, Table};
use crate::config::{Chosen, Paths, Settings, SettingsError, Shown, Source, env};
use crate::failure::Failure;

/// Runs a verb of `config`.
///
/// # Errors
/// What the verb says; a file that is wrong is refused with everything that is.
pub(super) fn run(invocation: &mut Invocation, verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Show => show(invocation),
        Verb::Validate(args) => validate(invocation, args),
    }
}

fn show(invocation: &mut Invocation) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let settings = Settings::load(&paths.config_file)?;
    let chosen = Chosen::decide(&invocation.wish(), &paths)?;
    let all = settings.shown(&chosen, &paths, &look(invocation));
    let documents: Vec<Value> = all
        .iter()
        .map(|one| {
            let (name, line) = match one.source {
                Source::Flag(name) | Source::Variable(name) => (Some(name), None),
                Source::File { line } => (None, Some(line)),
                Source::Default => (None, None),
            };
            json!({
                "name": one.name,
                "value": one.value,
                "source": { "kind": one.source.as_str(), "name": name, "line": line },
            })
        })
        .collect();
    let file = paths.config_file.to_string_lossy();
    let document = json!({ "config_file": file, "settings": documents });
    invocation.answer(&document, |printer| {
        let mut table = Table::new(["SETTING", "VALUE", "FROM"].map(Column::left));
        for one in &all {
            let from = match one.source {
                Source::File { line } => format!("config.toml, line {line}"),
                other => other.to_string(),
            };
            table.row([one.name.as_str(), one.value.as_deref().unwrap_or("-"), &from]);
        }
        printer.table(&table);
    })
}

/// What flags and environment decide in the place of the file.
fn look(invocation: &Invocation) -> Vec<Shown> {
    let shown = |name: &str, value: &str, source| Shown {
        name: name.to_owned(),
        value: Some(value.to_owned()),
        source,
    };
    let mut look = Vec::new();
    let colourless = match invocation.flags.color {
        ColorChoice::Never => Some(Source::Flag("--color")),
        ColorChoice::Always => None,
        ColorChoice::Auto => env::NO_COLOR.read().map(|_| Source::Variable(env::NO_COLOR.name)),
    };
    if let Some(source) = colourless {
        look.push(shown("console.theme", "plain", source));
    }
    if invocation.flags.ascii {
        look.push(shown("console.ascii", "true", Source::Flag("--ascii")));
    }
    look
}

fn validate(invocation: &mut Invocation, args: &Validate) -> Result<(), Failure> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => Paths::from_environment()?.config_file,
    };
    // One that somebody names has to be there.
    if args.file.is_some() && !file.exists() {
        let source = std::io::ErrorKind::NotFound.into();
        return Err(SettingsError::Unreadable { file, source }.into());
    }
    let (there, settings) = (file.exists(), Settings::load(&file)?);
    let document = json!({
        "file": file.to_string_lossy(),
        "present": there,
        "ok": true,
        "profiles": settings.profiles.len(),
    });
    let said = if there { "is sound" } else { "is not there, which is fine" };
    invocation.answer(&document, |printer| printer.line(&format!("{} {said}", file.display())))
}
