//! What can be typed. The doc comments are the help text.
//!
//! [`Verb`] lists the verbs that work; the arguments of a noun are in its own file.

pub mod archive;
pub mod audit;
pub mod impersonation;
pub mod operator;
pub mod profile;
pub mod program;
pub mod server;
pub mod setup;
pub mod tenant;
pub mod usage;

use std::fmt::Write as _;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::env;
use crate::config::profile::holds_password;

/// Exit codes and streams, at the end of every `--help` of the program.
const CONTRACT: &str = "\
Exit codes:
    0  done (also when the reader of standard output went away)
    1  the answer is no, or only a part was done
    2  the command line is wrong, or a flag is missing and nobody can be asked
    3  refused: policy, level, configuration, not found, conflict, limit
    4  the server: connection or SQL error, also of your own SQL
    5  a fault of this program
  130  interrupted, 143 terminated (also when the terminal was closed)

Standard output is data, standard error is narration.
With --json each command prints one document with `\"v\":1` and a request id (`audit list --follow` and
`usage --format jsonl` one a line); errors are `{\"v\":1,\"request_id\",\"error\":{\"kind\",\"message\",\"hints\"}}`
on standard error, SQL errors with `sqlstate`, `position` and `statement` where known. The log and the ledger know each run by its request id.

A TENANT is a slug, an id, or any text that `tenant find` matches once.";

/// The contract, and the variables that the program reads.
fn contract() -> String {
    let mut text = format!("{CONTRACT}\n\nEnvironment (an empty variable counts as unset):");
    for variable in env::all() {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "\n  {}\n      {}", variable.name, variable.purpose);
    }
    text
}

/// Looks after the tenants of a multi-tenant PostgreSQL: support, provisioning, export and restore of single tenants
#[derive(Debug, Clone, Parser)]
#[command(
    name = "tenantdesk",
    version,
    after_help = "`tenantdesk --help` says more, also about exit codes and the environment",
    after_long_help = contract(),
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs",
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct CommandLine {
    /// Flags that every verb knows.
    #[command(flatten)]
    pub flags: GlobalFlags,
    /// What to do; the console where it is missing.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// The flags that every verb knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Global flags")]
pub struct GlobalFlags {
    /// The database to use, without a password in the address; else `TENANTDESK_URL`, else a profile
    #[arg(long, global = true, value_name = "URL", value_parser = without_password)]
    pub url: Option<String>,
    /// The profile to use, `embedded` for the embedded server; else `TENANTDESK_PROFILE`, else the default of the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Print one JSON document instead of text
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer yes/no questions with yes; never replaces `--confirm` or `--reason`
    #[arg(long, short = 'y', global = true)]
    pub yes: bool,
    /// Print data, warnings and errors only
    #[arg(long, short = 'q', global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell more, also in the log
    #[arg(long, short = 'v', global = true)]
    pub verbose: bool,
    /// When to use colours; `auto` follows the terminal and `NO_COLOR`
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub color: ColorChoice,
    /// Draw with ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Print at most N rows of a list
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
}

/// Why an address with a password is refused, and what to do.
pub(super) const NO_PASSWORD: &str = "an address on a command line must not hold a password, \
    because the arguments of a process are no secret; give it with TENANTDESK_URL, PGPASSWORD, \
    a password file (PGPASSFILE) or the keyring of a profile";

/// Refuses an address with a password in it: the command line of a process is no secret.
fn without_password(address: &str) -> Result<String, String> {
    if holds_password(address) {
        return Err(NO_PASSWORD.to_owned());
    }
    Ok(address.to_owned())
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The verbs that this version has.
#[derive(Debug, Clone, Subcommand)]
pub enum Verb {
    /// Fill the embedded server with demo tenants, then open the console
    Demo(server::Demo),
    /// The embedded server
    #[command(subcommand)]
    Server(server::Server),
    /// Prepare your own database: discover, classify and guard its tables
    Setup(Box<setup::Setup>),
    /// The relation map
    #[command(subcommand)]
    Tables(setup::Tables),
    /// Operators and their levels
    #[command(subcommand)]
    Operator(operator::Operator),
    /// Tenants
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    /// Members of a tenant
    #[command(subcommand)]
    Member(tenant::Member),
    /// What tenants use of their plans
    Usage(usage::Usage),
    /// Plans and their limits
    #[command(subcommand)]
    Plan(usage::Plan),
    /// Limits of single tenants
    #[command(subcommand)]
    Limit(usage::Limit),
    /// Act as a member of a tenant
    Impersonate(impersonation::Impersonate),
    /// Tenant sessions, present and past
    #[command(subcommand)]
    Impersonation(impersonation::Impersonation),
    /// Write one tenant to an archive
    Export(archive::Export),
    /// Archives
    #[command(subcommand)]
    Archive(archive::Archive),
    /// Bring one tenant back from an archive
    Restore(archive::Restore),
    /// The ledger
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Databases that have a name
    #[command(subcommand)]
    Profile(profile::Profile),
    /// The configuration
    #[command(subcommand)]
    Config(profile::Config),
    /// Check whether this set-up is sound: server, login, guard, machine
    Doctor,
    /// Print every directory the program uses
    Paths,
    /// Print a completion script for a shell
    Completions(program::Completions),
    /// Print the manual page
    Man(program::Man),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::command::{COMMANDS, CommandId, by_words};

    fn leaves(command: &clap::Command, words: &str, found: &mut Vec<String>) {
        for verb in command.get_subcommands() {
            let words = format!("{words} {}", verb.get_name()).trim().to_owned();
            if verb.has_subcommands() {
                leaves(verb, &words, found);
            } else {
                found.push(words);
            }
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_verb_stands_in_the_registry_and_every_registered_verb_has_arguments() {
        let mut present = Vec::new();
        leaves(&CommandLine::command(), "", &mut present);
        for words in &present {
            assert!(
                by_words(words).is_some_and(|command| command.verb),
                "`{words}` is not registered"
            );
        }
        for command in COMMANDS.iter().filter(|command| command.verb) {
            let known = present.contains(&command.words.to_owned());
            assert!(known, "`{}` has no arguments", command.words);
        }
        assert_eq!(by_words("man").unwrap().id, CommandId::Man);
    }

    #[test]
    fn the_commands_of_the_guides_can_be_typed() {
        for line in [
            "demo --tenants 200 --rows 1000000 --reset --no-console",
            "server start --tcp",
            "server url --role operator",
            "server psql --role owner -- -c 'select 1'",
            "setup --dry-run --tenant-root public.companies --tenant-key company_id --tenant-key companyId --setting app.company --app-role web",
            "setup --suspend",
            "setup --resume --yes",
            "setup --remove --confirm saas",
            "setup --except x --reason it_is_harmless",
            "setup --map reviewed.toml --keep-public",
            "tables list --toml",
            "tables set public.x keyed --key company_id",
            "tables set x derived --path order_id>public.orders.id",
            "tables set x auto",
            "tables explain public.x",
            "operator add ada --level support --json",
            "operator level ada approver",
            "tenant create Acme --slug acme --admin-email a@acme.test --admin-name Ada --plan growth",
            "tenant find acm --limit 5",
            "impersonate acme --as ada@acme.test --reason broken_invoice --ticket T-1 --for 20m -c x -c y",
            "impersonate acme --reason broken_invoice --write --sql x",
            "impersonation list --json",
            "impersonation end",
            "usage acme",
            "usage --format jsonl",
            "limit override acme users --hard 9 --until 2027-01-31 --reason migration_week",
            "limit override acme users --hard 9 --until 2027-01-31T10:00:00+01:00 --reason migration_week",
            "export acme -o /tmp/x.tenant --force",
            "restore x.tenant --dry-run",
            "restore x.tenant",
            "restore x.tenant --confirm admin --reason broken_invoice",
            "restore x.tenant --confirm 3f2a1b7c-0000-4000-8000-000000000001",
            "restore x.tenant --mode replace --confirm acme --reason broken_invoice",
            "audit list --tenant acme --operator ada --since 2h --action export",
            "audit verify",
            "profile add eu-1 --url postgresql://ada@db.example.org/app --password-from keyring --theme production --default",
            "profile add x --url postgresql:///app?host=/run&user=ada --password-from env:DB --password-stdin",
            "profile test eu-1",
            "config validate /etc/x.toml",
        ] {
            let words = std::iter::once("tenantdesk").chain(line.split(' '));
            let parsed = CommandLine::try_parse_from(words);
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        }
    }

    #[test]
    fn an_address_with_a_password_is_refused() {
        for fine in ["postgresql:///app?host=/run/x&user=ada", "postgres://ada@db/app", "host=db"] {
            assert_eq!(without_password(fine).as_deref(), Ok(fine));
        }
        for bad in [
            "postgres://ada:x@db/app",
            "postgres://ada:a/b@db/app",
            "postgres://db/app?PASSWORD=x",
            "host=db password=x",
        ] {
            assert!(without_password(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_refused() {
        for line in [
            "impersonate acme",
            "impersonate acme --reason short",
            "impersonate acme --reason broken_invoice --for 1y",
            "impersonate acme --reason broken_invoice -c x -f y",
            "tenant create Acme --set region",
            "tenant create Acme --admin-email nobody",
            "tenant create Acme --admin-email a@b.co --slug A",
            "setup --dry-run --remove",
            "setup --confirm saas",
            "setup --except x",
            "tables set x keyed",
            "tables set x excluded",
            "tables set x nothing",
            "operator add ada --level king",
            "operator add pg_ada --level viewer",
            "limit override acme users --hard -1 --until 2027-01-31 --reason migration_week",
            "limit override acme users --hard 1 --until tomorrow --reason migration_week",
            "tenant list --quiet --verbose",
            "tenant list --limit 0",
        ] {
            let words = std::iter::once("tenantdesk").chain(line.split(' '));
            assert!(CommandLine::try_parse_from(words).is_err(), "{line}");
        }
    }
}
