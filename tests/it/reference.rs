//! Generated pages: the verbs, keys and variables of docs/reference/, the verb table of the README.
//!
//! `TENANTDESK_BLESS=1 cargo test` rewrites them; without it a stale page fails.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::Command as Verb;
use tenantdesk::cli;
use tenantdesk::command::{COMMANDS, Command, Group, Press, Scope, by_words};
use tenantdesk::config::{self, env};

/// Each verb of the command line with its words, in the order of the registry.
fn verbs() -> Vec<(&'static Command, Verb)> {
    let mut root = cli::command();
    root.build();
    let mut found: Vec<(&Command, Verb)> = Vec::new();
    let mut open: Vec<(String, Verb)> = vec![(String::new(), root)];
    while let Some((words, verb)) = open.pop() {
        for inner in verb.get_subcommands() {
            open.push((format!("{words} {}", inner.get_name()).trim().to_owned(), inner.clone()));
        }
        if !verb.has_subcommands() {
            found.push((by_words(&words).unwrap_or_else(|| panic!("`{words}`")), verb));
        }
    }
    found.sort_by_key(|(command, _)| command.id);
    found
}

fn who(command: &Command) -> String {
    command.level.map_or_else(|| "anybody".to_owned(), |level| level.to_string())
}

/// `tenantdesk tenant create [OPTIONS] <NAME>` without the global flags.
fn usage(verb: &Verb) -> String {
    let text = verb.clone().render_usage().to_string();
    text.trim_start_matches("Usage: ").trim().to_owned()
}

fn verbs_page() -> String {
    let mut page = String::from(
        "# Verbs\n\n<!-- Generated from the program: run `TENANTDESK_BLESS=1 cargo test` after a change. -->\n\n\
         Every verb of this version. Global flags, streams and exit codes: `tenantdesk --help`.\n",
    );
    for group in Group::ALL {
        let own: Vec<_> =
            verbs().into_iter().filter(|(command, _)| command.group == group).collect();
        if own.is_empty() {
            continue;
        }
        writeln!(page, "\n## {}", group.as_str()).unwrap();
        for (command, verb) in own {
            writeln!(page, "\n### {}\n", command.words).unwrap();
            writeln!(page, "{}.", command.title).unwrap();
            writeln!(page, "{}.\n", command.level_and_risk()).unwrap();
            writeln!(page, "```text\n{}\n```", usage(&verb)).unwrap();
            let own: Vec<_> = verb
                .get_arguments()
                .filter(|argument| !argument.is_global_set() && argument.get_id() != "help")
                .collect();
            if !own.is_empty() {
                page.push_str("\n| argument | meaning |\n|---|---|\n");
            }
            for argument in own {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let short = argument.get_short().map(|short| format!("-{short}, "));
                let shape = short.unwrap_or_default() + &argument.to_string().replace('|', "\\|");
                writeln!(page, "| `{shape}` | {help} |").unwrap();
            }
        }
    }
    page
}

/// The names of keys that have one, as documents write them.
fn key_names() -> Vec<String> {
    Press::names().map(|name| format!("`{name}`")).collect()
}

/// How keys are written and bound anew.
fn keys_introduction() -> String {
    let mut page = String::from(
        "# Keys\n\n<!-- Generated from the program: run `TENANTDESK_BLESS=1 cargo test` after a change. -->\n\n\
         The default keys of the console. A screen's own keys come before those of every screen;\n\
         a text field takes printable keys first. `?` shows what is possible where you are.\n\n\
         ## Other keys\n\n\
         `[console.keys]` in the configuration file (`tenantdesk paths` names it) gives a command other keys:\n\
         its words on the left, which stand in the column \"`:` command\" below, a list of keys on the right.\n\n\
         ```toml\n[console.keys]\n\"tenant create\" = [\"N\", \"g n\"]   # two ways; a sequence has spaces\n\
         \"suspend\" = []                     # none\n```\n\n\
         A key is a character (a capital stands for shift), `space`, `f1` to `f12`, or one of ",
    );
    page.push_str(&key_names().join(", "));
    page.push_str(
        "; `ctrl-` in front of it holds Ctrl.\n\
         Alt is not used, and `ctrl-h`, `ctrl-i`, `ctrl-j` and `ctrl-m` are other keys to a terminal.\n\
         The list replaces the default keys of the command. A key of the file wins over a default of another command.\n\
         What cannot be bound is reported when the console opens (`M` shows it again) and left out.\n\
         `esc` always goes back, and `impersonation end` always has a key that no text takes.\n\
         More on the file: [configuration](../configuration.md).\n",
    );
    page
}

fn keys_page() -> String {
    let mut page = keys_introduction();
    for scope in Scope::ALL {
        let bound: Vec<_> = COMMANDS
            .iter()
            .filter(|command| command.scopes.contains(&scope) && !command.default_keys.is_empty())
            .collect();
        if bound.is_empty() {
            continue;
        }
        writeln!(
            page,
            "\n## {}\n\n| key | does | `:` command | level |\n|---|---|---|---|",
            scope.as_str()
        )
        .unwrap();
        for command in bound {
            let keys: Vec<String> = command
                .keys()
                .map(|keys| {
                    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                    format!("`{}`", keys.join(" "))
                })
                .collect();
            let level = who(command);
            writeln!(
                page,
                "| {} | {} | `{}` | {level} |",
                keys.join(" "),
                command.title,
                command.words
            )
            .unwrap();
        }
    }
    page.push_str(
        "\n## Without a key\n\n`:` runs them, and the configuration can give them keys.\n\n",
    );
    page.push_str("| does | `:` command | level |\n|---|---|---|\n");
    let unbound = COMMANDS.iter().filter(|c| c.in_console() && c.default_keys.is_empty());
    for command in unbound {
        writeln!(page, "| {} | `{}` | {} |", command.title, command.words, who(command)).unwrap();
    }
    page
}

fn environment_page() -> String {
    let mut page = String::from(
        "# Environment\n\n<!-- Generated from the program: run `TENANTDESK_BLESS=1 cargo test` after a change. -->\n\n\
         Every variable that the program reads. An empty one counts as unset.\n\n| variable | meaning |\n|---|---|\n",
    );
    for variable in env::all() {
        writeln!(page, "| `{}` | {} |", variable.name, variable.purpose).unwrap();
    }
    page
}

/// The README with its verb table replaced.
fn readme() -> String {
    const START: &str = "<!-- verbs: generated -->\n";
    const END: &str = "<!-- verbs: end -->";
    let text = fs::read_to_string(path("README.md")).unwrap();
    let (before, rest) = text.split_once(START).expect("the README has a place for the table");
    let (_, after) = rest.split_once(END).expect("the table ends");
    let mut table = String::from("| verb | does | level |\n|---|---|---|\n");
    for (command, _) in verbs() {
        let verb = format!("`tenantdesk {}`", command.words);
        writeln!(table, "| {verb} | {} | {} |", command.title, who(command)).unwrap();
    }
    format!("{before}{START}{table}{END}{after}")
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Compares a page with what it should be, or writes it.
fn check(name: &str, expected: &str) {
    if std::env::var_os("TENANTDESK_BLESS").is_some_and(|value| value == "1") {
        fs::write(path(name), expected).unwrap();
    }
    let present = fs::read_to_string(path(name)).unwrap();
    let stale = first_difference(&present, expected);
    assert!(stale.is_none(), "{name} is stale at {stale:?}: run TENANTDESK_BLESS=1 cargo test");
}

fn first_difference(present: &str, expected: &str) -> Option<String> {
    let mut pairs = present.lines().zip(expected.lines());
    let line = pairs.find(|(present, expected)| present != expected);
    let line = line.map(|(present, _)| present.to_owned());
    line.or_else(|| (present != expected).then(|| "its end".to_owned()))
}

#[test]
fn the_page_of_verbs_is_what_the_program_does() {
    check("docs/reference/verbs.md", &verbs_page());
}

#[test]
fn the_page_of_keys_is_what_the_console_does() {
    check("docs/reference/keys.md", &keys_page());
}

#[test]
fn the_page_of_variables_and_the_help_are_what_the_program_reads() {
    check("docs/reference/environment.md", &environment_page());
    let help = cli::command().render_long_help().to_string();
    for variable in env::all() {
        assert!(help.contains(&format!("\n  {}\n", variable.name)), "{}: {help}", variable.name);
    }
}

#[test]
fn the_published_schema_is_that_of_the_settings() {
    let mut text = serde_json::to_string_pretty(&config::schema::schema()).unwrap();
    text.push('\n');
    check("docs/reference/config.schema.json", &text);
}

/// A value that the schema allows, as TOML writes it, and one that it does not.
fn examples(property: &serde_json::Value) -> (String, &'static str) {
    if let Some(words) = property["enum"].as_array() {
        return (words[0].to_string(), "\"no such word\"");
    }
    match property["type"].as_str().unwrap() {
        "boolean" => ("true".to_owned(), "1"),
        "integer" => (property["minimum"].to_string(), "0"),
        "object" => ("{ quit = [\"Q\"] }".to_owned(), "1"),
        _ if property["pattern"].is_string() => ("\"env:DB\"".to_owned(), "\"c4n4ry\""),
        _ => ("\"text\"".to_owned(), "\"\""),
    }
}

#[test]
fn the_schema_allows_what_the_program_reads_and_nothing_else() {
    let schema = config::schema::schema();
    let all = &schema["properties"];
    let profile = &all["profiles"]["additionalProperties"]["properties"];
    let whole = [("host", "\"db\""), ("database", "\"app\""), ("user", "\"ada\"")];
    for (heading, properties) in
        [("console", &all["console"]["properties"]), ("profiles.a", profile)]
    {
        for (name, property) in properties.as_object().unwrap() {
            let (good, bad) = examples(property);
            let text = |value: &str| {
                let mut lines = vec![format!("[{heading}]"), format!("{name} = {value}")];
                if heading != "console" && name != "url" {
                    let rest = whole.iter().filter(|(part, _)| part != name);
                    lines.extend(rest.map(|(part, value)| format!("{part} = {value}")));
                }
                // A certificate and its key come together.
                for (one, other) in [("sslcert", "sslkey"), ("sslkey", "sslcert")] {
                    if name == one {
                        lines.push(format!("{other} = \"x\""));
                    }
                }
                lines.join("\n")
            };
            let good = if name == "url" { "\"postgresql://ada@db/app\"".to_owned() } else { good };
            let read = |value: &str| config::Settings::read(&text(value));
            assert!(read(&good).is_ok(), "{}: {:?}", text(&good), read(&good));
            assert!(read(bad).is_err(), "{}", text(bad));
        }
        let unknown = format!("[{heading}]\nno_such_setting = 1");
        assert!(config::Settings::read(&unknown).is_err());
        assert!(properties["no_such_setting"].is_null());
    }
}

#[test]
fn the_readme_lists_the_verbs_that_work() {
    check("README.md", &readme());
}

#[test]
fn a_stale_page_is_found() {
    assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
    assert_eq!(first_difference("a\nb\n", "a\nc\n").as_deref(), Some("b"));
    assert_eq!(first_difference("a\n", "a\nb\n").as_deref(), Some("its end"));
}
