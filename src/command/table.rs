//! The table of commands: one row each, in the order of help and documents, hence its many lines.
//!
//! One table, hence the many lines: a new verb is one row here, one id in `entry.rs`, one file in the library and one in each skin.

use crate::identity::Level::{Admin, Approver, Support, Viewer};

use super::availability::Need;
use super::entry::{Command, CommandId, Group, Risk, Scope};

/// The commonest row: a verb of the command line that does not ask and needs nothing.
const fn verb(id: CommandId, group: Group, words: &'static str, title: &'static str) -> Command {
    Command {
        id,
        words,
        title,
        group,
        default_keys: &[],
        scopes: &[],
        risk: Risk::None,
        level: None,
        for_manager: false,
        needs: &[],
        verb: true,
    }
}

/// A command that only the console has.
const fn only_console(
    id: CommandId,
    words: &'static str,
    title: &'static str,
    default_keys: &'static [&'static str],
) -> Command {
    let scopes = &[Scope::Everywhere];
    Command { default_keys, scopes, verb: false, ..verb(id, Group::Console, words, title) }
}

/// A command inside an impersonation, which only the console has.
const fn inside(
    id: CommandId,
    words: &'static str,
    title: &'static str,
    default_keys: &'static [&'static str],
) -> Command {
    Command {
        default_keys,
        scopes: &[Scope::Impersonation],
        level: Some(Support),
        needs: &[Need::Impersonation],
        verb: false,
        ..verb(id, Group::Impersonation, words, title)
    }
}

/// The same, where a row must be selected.
const fn on_row(command: Command) -> Command {
    Command { needs: &[Need::Impersonation, Need::Row], ..command }
}

/// All commands.
pub const COMMANDS: &[Command] = &[
    Command {
        default_keys: &["1", "g t"],
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::TenantList, Group::Tenants, "tenant list", "List the tenants")
    },
    Command {
        default_keys: &["f"],
        scopes: &[Scope::Tenants],
        level: Some(Viewer),
        ..verb(
            CommandId::TenantFind,
            Group::Tenants,
            "tenant find",
            "Find a tenant by name, slug, id, domain or member",
        )
    },
    Command {
        default_keys: &["enter"],
        scopes: &[Scope::Tenants],
        level: Some(Viewer),
        needs: &[Need::Tenant],
        ..verb(CommandId::TenantShow, Group::Tenants, "tenant show", "Show one tenant")
    },
    Command {
        default_keys: &["n"],
        scopes: &[Scope::Tenants],
        level: Some(Support),
        ..verb(
            CommandId::TenantCreate,
            Group::Tenants,
            "tenant create",
            "Create a tenant with its first admin",
        )
    },
    Command {
        default_keys: &["m"],
        scopes: &[Scope::Tenants, Scope::Tenant],
        level: Some(Support),
        needs: &[Need::Tenant],
        ..verb(CommandId::MemberList, Group::Tenants, "member list", "List the members of a tenant")
    },
    Command {
        default_keys: &["i"],
        scopes: &[Scope::Tenants, Scope::Tenant],
        level: Some(Support),
        needs: &[Need::Tenant, Need::NoImpersonation],
        ..verb(
            CommandId::Impersonate,
            Group::Impersonation,
            "impersonate",
            "Act as a member of a tenant",
        )
    },
    Command {
        default_keys: &["6", "g w"],
        scopes: &[Scope::Everywhere],
        level: Some(Support),
        ..verb(
            CommandId::ImpersonationList,
            Group::Impersonation,
            "impersonation list",
            "List the tenant sessions",
        )
    },
    Command {
        default_keys: &["g i"],
        scopes: &[Scope::Everywhere],
        level: Some(Support),
        ..verb(
            CommandId::ImpersonationShow,
            Group::Impersonation,
            "impersonation show",
            "Show one tenant session",
        )
    },
    Command {
        default_keys: &["ctrl-x"],
        scopes: &[Scope::Everywhere],
        level: Some(Support),
        needs: &[Need::Impersonation],
        ..verb(
            CommandId::ImpersonationEnd,
            Group::Impersonation,
            "impersonation end",
            "End the impersonation",
        )
    },
    Command {
        default_keys: &["X"],
        scopes: &[Scope::Tenant, Scope::Sessions],
        risk: Risk::Confirm,
        level: Some(Support),
        needs: &[Need::Row],
        verb: false,
        ..verb(
            CommandId::SessionEnd,
            Group::Impersonation,
            "session end",
            "End the selected session: your own, or as approver anybody's",
        )
    },
    inside(CommandId::Browse, "browse", "Browse the rows of this tenant", &["f2", "b"]),
    inside(CommandId::Sql, "sql", "Write a statement for this tenant", &["f3", "e"]),
    inside(CommandId::SqlRun, "sql run", "Run the statement", &["f5"]),
    on_row(inside(CommandId::Record, "record", "Show one row in full", &["enter"])),
    Command {
        default_keys: &["]"],
        scopes: &[Scope::Impersonation, Scope::Audit],
        level: Some(Viewer),
        verb: false,
        ..verb(CommandId::NextPage, Group::Impersonation, "next page", "Next page of rows")
    },
    inside(CommandId::PreviousPage, "previous page", "Previous page of rows", &["["]),
    inside(CommandId::CountRows, "count", "Count the rows exactly", &["c"]),
    on_row(inside(
        CommandId::Follow,
        "follow",
        "Open the record that the selected value points to",
        &["f"],
    )),
    on_row(inside(CommandId::Links, "links", "Show the parents and children of this row", &["r"])),
    on_row(inside(
        CommandId::ViewValue,
        "view",
        "Show the selected value whole: JSON, long text, bytes",
        &["v"],
    )),
    on_row(inside(CommandId::Mark, "mark", "Mark this row, for copying", &["space"])),
    on_row(inside(
        CommandId::CopyRows,
        "copy rows",
        "Copy the marked rows, or this one, as a table",
        &["Y"],
    )),
    on_row(inside(
        CommandId::CopyRowsJson,
        "copy json",
        "Copy the marked rows, or this one, as JSON",
        &["J"],
    )),
    inside(
        CommandId::ResultExport,
        "result export",
        "Write the rows on screen to a CSV or JSON file",
        &["w"],
    ),
    inside(CommandId::History, "history", "Find an earlier statement", &["f4"]),
    Command {
        default_keys: &["2", "g u"],
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::Usage, Group::Usage, "usage", "Show what tenants use of their plans")
    },
    Command {
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::PlanList, Group::Usage, "plan list", "List the plans")
    },
    Command {
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::PlanShow, Group::Usage, "plan show", "Show one plan and its limits")
    },
    Command {
        default_keys: &["o"],
        scopes: &[Scope::Tenants, Scope::Tenant, Scope::Usage],
        level: Some(Admin),
        needs: &[Need::Tenant],
        ..verb(
            CommandId::LimitOverride,
            Group::Usage,
            "limit override",
            "Set another limit for one tenant, until a date",
        )
    },
    Command {
        default_keys: &["x"],
        scopes: &[Scope::Tenants, Scope::Tenant],
        level: Some(Admin),
        needs: &[Need::Tenant, Need::NoImpersonation],
        ..verb(CommandId::Export, Group::Archives, "export", "Export one tenant to an archive")
    },
    Command {
        default_keys: &["3", "g a"],
        scopes: &[Scope::Everywhere],
        ..verb(CommandId::ArchiveList, Group::Archives, "archive list", "List the archives")
    },
    Command {
        default_keys: &["enter"],
        scopes: &[Scope::Archives],
        needs: &[Need::Row],
        ..verb(
            CommandId::ArchiveInspect,
            Group::Archives,
            "archive inspect",
            "Show what an archive holds",
        )
    },
    Command {
        default_keys: &["v"],
        scopes: &[Scope::Archives],
        needs: &[Need::Row],
        ..verb(CommandId::ArchiveVerify, Group::Archives, "archive verify", "Verify an archive")
    },
    Command {
        default_keys: &["R"],
        scopes: &[Scope::Archives],
        risk: Risk::TypeSlug,
        level: Some(Admin),
        needs: &[Need::Row, Need::NoImpersonation],
        ..verb(CommandId::Restore, Group::Archives, "restore", "Restore one tenant from an archive")
    },
    Command {
        default_keys: &["a"],
        scopes: &[Scope::Restore],
        risk: Risk::TypeSlug,
        level: Some(Admin),
        verb: false,
        ..verb(CommandId::RestoreApply, Group::Archives, "restore apply", "Carry out the plan")
    },
    Command {
        default_keys: &["4", "g l"],
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::AuditList, Group::Audit, "audit list", "Read the ledger")
    },
    Command {
        level: Some(Viewer),
        ..verb(
            CommandId::AuditShow,
            Group::Audit,
            "audit show",
            "Show one event of the ledger whole",
        )
    },
    Command {
        default_keys: &["v"],
        scopes: &[Scope::Audit],
        level: Some(Approver),
        ..verb(
            CommandId::AuditVerify,
            Group::Audit,
            "audit verify",
            "Verify the chains of the ledger",
        )
    },
    Command {
        risk: Risk::Confirm,
        ..verb(
            CommandId::Setup,
            Group::Installation,
            "setup",
            "Prepare a database: discover, classify and guard its tables",
        )
    },
    Command {
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::TablesList, Group::Installation, "tables list", "Show the relation map")
    },
    verb(
        CommandId::TablesSet,
        Group::Installation,
        "tables set",
        "Decide the class of a relation, as who manages the installation",
    ),
    verb(
        CommandId::TablesExplain,
        Group::Installation,
        "tables explain",
        "Say why a relation has its class",
    ),
    Command {
        scopes: &[Scope::Everywhere],
        level: Some(Viewer),
        ..verb(CommandId::OperatorList, Group::Installation, "operator list", "List the operators")
    },
    Command {
        scopes: &[Scope::Everywhere],
        level: Some(Admin),
        for_manager: true,
        ..verb(CommandId::OperatorAdd, Group::Installation, "operator add", "Add an operator")
    },
    Command {
        level: Some(Admin),
        for_manager: true,
        ..verb(
            CommandId::OperatorPassword,
            Group::Installation,
            "operator password",
            "Set a new password for an operator",
        )
    },
    Command {
        scopes: &[Scope::Everywhere],
        risk: Risk::Confirm,
        level: Some(Admin),
        for_manager: true,
        ..verb(
            CommandId::OperatorRemove,
            Group::Installation,
            "operator remove",
            "Remove an operator",
        )
    },
    Command {
        scopes: &[Scope::Everywhere],
        risk: Risk::Confirm,
        level: Some(Admin),
        for_manager: true,
        ..verb(
            CommandId::OperatorLevel,
            Group::Installation,
            "operator level",
            "Change the level of an operator",
        )
    },
    Command {
        risk: Risk::ConfirmWhen("with `--reset`"),
        ..verb(CommandId::Demo, Group::Server, "demo", "Fill the embedded server with demo tenants")
    },
    verb(
        CommandId::ServerStart,
        Group::Server,
        "server start",
        "Start the embedded server and keep it running",
    ),
    Command {
        risk: Risk::ConfirmWhen("where others use it"),
        ..verb(CommandId::ServerStop, Group::Server, "server stop", "Stop the embedded server")
    },
    Command {
        default_keys: &["5", "g s"],
        scopes: &[Scope::Everywhere],
        ..verb(
            CommandId::ServerStatus,
            Group::Server,
            "server status",
            "Show the state of the embedded server",
        )
    },
    verb(
        CommandId::ServerUrl,
        Group::Server,
        "server url",
        "Print how to reach the embedded server",
    ),
    verb(CommandId::ServerPsql, Group::Server, "server psql", "Open psql on the embedded server"),
    verb(
        CommandId::ServerLogs,
        Group::Server,
        "server logs",
        "Show the log of the embedded server",
    ),
    Command {
        default_keys: &["g p"],
        scopes: &[Scope::Everywhere],
        verb: false,
        ..verb(CommandId::Profile, Group::Profiles, "profile", "Go to another database")
    },
    verb(CommandId::ProfileList, Group::Profiles, "profile list", "List the profiles"),
    verb(
        CommandId::ProfileAdd,
        Group::Profiles,
        "profile add",
        "Give a database a name, and keep its password",
    ),
    verb(
        CommandId::ProfileTest,
        Group::Profiles,
        "profile test",
        "Connect to a profile and say what is there",
    ),
    Command {
        risk: Risk::Confirm,
        ..verb(
            CommandId::ProfileRemove,
            Group::Profiles,
            "profile remove",
            "Remove a profile and its password",
        )
    },
    verb(
        CommandId::ConfigShow,
        Group::Profiles,
        "config show",
        "Print every value with what it comes from",
    ),
    verb(
        CommandId::ConfigValidate,
        Group::Profiles,
        "config validate",
        "Report everything that is wrong with a configuration file",
    ),
    verb(CommandId::Doctor, Group::Program, "doctor", "Check whether this set-up is sound"),
    verb(CommandId::Paths, Group::Program, "paths", "Print every directory the program uses"),
    verb(
        CommandId::Completions,
        Group::Program,
        "completions",
        "Print a completion script for a shell",
    ),
    verb(CommandId::Man, Group::Program, "man", "Print the manual page"),
    only_console(CommandId::Palette, "palette", "Find and run a command", &[":", "ctrl-p"]),
    only_console(CommandId::Help, "help", "Show the keys and commands of this place", &["?", "f1"]),
    only_console(CommandId::Back, "back", "Leave this place", &["esc", "q"]),
    only_console(CommandId::Quit, "quit", "Leave the console", &["ctrl-q"]),
    Command {
        needs: &[Need::Operation],
        ..only_console(CommandId::Cancel, "cancel", "Stop what is running", &["ctrl-c"])
    },
    only_console(CommandId::Refresh, "refresh", "Load again", &["ctrl-r", "f5"]),
    only_console(CommandId::Filter, "filter", "Show only what contains a text", &["/"]),
    only_console(CommandId::Sort, "sort", "Sort by the next column", &["s"]),
    only_console(CommandId::SortReverse, "sort reverse", "Reverse the order", &["S"]),
    only_console(CommandId::Messages, "messages", "Show earlier messages", &["M"]),
    only_console(CommandId::Redraw, "redraw", "Draw the screen anew", &["ctrl-l"]),
    only_console(CommandId::Suspend, "suspend", "Back to the shell for a while", &["ctrl-z"]),
    Command {
        needs: &[Need::Row],
        ..only_console(CommandId::Open, "open", "Open what is selected", &["enter"])
    },
    only_console(CommandId::Up, "up", "One row up", &["up", "k"]),
    only_console(CommandId::Down, "down", "One row down", &["down", "j"]),
    only_console(CommandId::Left, "left", "One column to the left", &["left", "h"]),
    only_console(CommandId::Right, "right", "One column to the right", &["right", "l"]),
    only_console(CommandId::PageUp, "page up", "One page up", &["pageup", "ctrl-u"]),
    only_console(CommandId::PageDown, "page down", "One page down", &["pagedown", "ctrl-d"]),
    only_console(CommandId::First, "first", "To the first row", &["home", "g g"]),
    only_console(CommandId::Last, "last", "To the last row", &["end", "G"]),
    only_console(CommandId::NextPane, "next pane", "To the next pane", &["tab"]),
    only_console(CommandId::PreviousPane, "previous pane", "To the previous pane", &["backtab"]),
    Command {
        needs: &[Need::Row],
        ..only_console(CommandId::Copy, "copy", "Copy the selected value", &["y"])
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::command::{Key, by_key, command};

    #[test]
    fn the_table_has_one_row_for_each_id_in_the_same_order() {
        let ids: Vec<CommandId> = COMMANDS.iter().map(|command| command.id).collect();
        assert_eq!(ids, CommandId::ALL);
        assert_eq!(command(CommandId::Restore).words, "restore");
    }

    #[test]
    fn words_are_unique_and_titles_are_orders_without_a_period() {
        let words: HashSet<&str> = COMMANDS.iter().map(|command| command.words).collect();
        assert_eq!(words.len(), COMMANDS.len());
        for command in COMMANDS {
            assert!(command.title.starts_with(char::is_uppercase), "{}", command.title);
            assert!(!command.title.ends_with('.'), "{}", command.title);
        }
    }

    #[test]
    fn every_default_key_can_be_read() {
        for command in COMMANDS {
            assert_eq!(command.keys().count(), command.default_keys.len(), "{}", command.words);
            assert!(command.keys().count() == 0 || command.in_console(), "{}", command.words);
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for scope in Scope::ALL {
            let mut seen = HashSet::new();
            for command in COMMANDS.iter().filter(|command| command.scopes.contains(&scope)) {
                for key in command.keys() {
                    assert!(seen.insert(key.clone()), "{key:?} means two things in {scope:?}");
                }
            }
        }
    }

    #[test]
    fn a_screen_takes_a_key_before_every_screen_does() {
        let enter: Key = "enter".parse().unwrap();
        assert_eq!(by_key(enter, Scope::Tenants).unwrap().id, CommandId::TenantShow);
        assert_eq!(by_key(enter, Scope::Usage).unwrap().id, CommandId::Open);
        assert!(by_key("f9".parse().unwrap(), Scope::Usage).is_none());
    }

    #[test]
    fn what_destroys_is_confirmed_by_typing() {
        assert_eq!(command(CommandId::Restore).risk, Risk::TypeSlug);
    }
}
