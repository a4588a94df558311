//! The single integration binary: one link, one cluster for all tests (docs/style.md, "Tests").

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests panic to say what must hold, read their own variables and export to nobody"
)]

/// House rules as tests: layers, sizes, names, docs.
mod architecture;
/// Small archives for tests, whole and broken.
mod archive_fixture;
/// The format of archives: damage, forgery, other programs.
mod archive_format;
/// What an archive says of itself, without reading its rows.
mod archive_glance;
/// Export and restore on schemas of every shape.
mod archive_shapes;
/// Attacks through what walks around a guard: views, functions, temporary tables.
mod attack_doors;
/// Attacks on an installation itself, and what is built after it.
mod attack_drift;
/// Attacks that outlive the end of a session, and ends that are not one's own.
mod attack_ending;
/// Each drift of the guard is noticed, and no session opens.
mod attack_faults;
/// Attacks on each function that operators may call.
mod attack_functions;
/// Attacks by holding on: open transactions, held chains, programs that are gone.
mod attack_holding;
/// Attacks that only the host can stop.
mod attack_host;
/// What an installation leaves: rights as the map says, the owner's rows and dumps.
mod attack_installed;
/// How the attacks are told: an operator with a live session, by hand with psql.
mod attack_intruder;
/// What the guard does not stop, pinned: docs/security.md says each of it.
mod attack_known;
/// Attacks by functions, operators, statistics, plans and COPY on rows that the guard hides.
mod attack_leaky;
/// Attacks on the ledger and on what it is told.
mod attack_ledger;
/// Attacks by whoever's level was taken away, and by sheer number.
mod attack_levels;
/// Attacks by whoever may create tenants, export or restore them.
mod attack_provision;
/// The same where guarded views stand in the place of policies.
mod attack_provision_foreign;
/// Attacks with rights that a product's GRANT ALL would give.
mod attack_rights;
/// Attacks by changing roles, and on what roles mean.
mod attack_roles;
/// Attacks on opening a session: arguments, races, the transaction itself.
mod attack_session;
/// Attacks on the tenant setting and the token.
mod attack_setting;
/// The leak tests of the seed guides on the starter schema, and its limits.
mod attack_starter;
/// Attacks that write: moved keys, MERGE, ON CONFLICT, linked and shared rows.
mod attack_writes;
/// The shipped binary: a foreign key followed, rows written to a file.
mod binary_browser;
/// The shipped binary in a pseudo-terminal: the main job, and what is left when it is ended.
mod binary_console;
/// How the command line asks: restore, operators, the demo; and what it keeps of the answer.
mod cli_asking;
/// The ledger on the command line: shown, followed, verified.
mod cli_audit;
/// The JSON documents that scripts rely on, and the exit codes.
mod cli_json;
/// Lists of the command line say when they are cut.
mod cli_lists;
/// The shipped binary as a script sees it.
mod cli_program;
/// The shipped binary and signals: it always ends, and leaves nothing open.
mod cli_signals;
/// The demo, and what is tried on its rows.
mod demo;
/// Discovery on schemas that nobody here designed: every class is written down.
mod discover;
/// Is our own set-up sound: each verdict made, seen and unmade.
mod doctor;
/// One tenant out: whole, stable, and nobody else.
mod export;
/// The guard is generated from a map and holds.
mod guard_install;
/// What the tests share: a real server that is surely stopped.
mod harness;
/// The harness leaves nothing behind.
mod harness_cleanup;
/// Impersonation: starting, reading, writing, recording, ending, browsing.
mod impersonation;
/// Jobs: a tenant in them is never null.
mod jobs;
/// Passwords in a real keyring, where there is none, and where it hangs.
mod keyring;
/// The ledger: append-only, chained, verified.
mod ledger;
/// Operators: personal logins with a level.
mod operators;
/// Operators on other servers: passwords, and logins that several databases know.
mod operators_elsewhere;
/// Profiles and the configuration on the command line.
mod profiles;
/// Making tenants: all or nothing.
mod provision;
/// The same on schemas that nobody here designed.
mod provision_foreign;
/// Generated pages are what the program does.
mod reference;
/// Logging in over a network: passwords from each place, prompts, refusals; the verbs by TLS.
mod remote_login;
/// PgBouncer in transaction mode between the program and the server.
mod remote_pooler;
/// TLS to a server: whom it is believed to be, and what is told where it is somebody else.
mod remote_tls;
/// One tenant in: exact, atomic, and nobody else touched.
mod restore;
/// The embedded server from its first start to its end.
mod server_lifetime;
/// Where the embedded server lies and who may reach it; its verbs.
mod server_places;
/// The embedded server after kills, stale files, orphans and bad configuration.
mod server_recovery;
/// `setup` on schemas that nobody here designed.
mod setup;
/// SQL files are prepared by a real server; the starter schema is nobody's business.
mod sql_files;
/// The browser of the console: references, values, rows that leave the screen.
mod tui_browser;
/// Lists that are cards, and the form for another limit.
mod tui_cards;
/// How the console behaves, driven by key strings.
mod tui_flows;
/// What the console says one can do: keys, reasons, hints, empty lists.
mod tui_hints;
/// Operators in the console.
mod tui_operators;
/// The console goes from one database to another.
mod tui_profiles;
/// The console over its real runner and a real server.
mod tui_runner;
/// What the screens of the console look like.
mod tui_screens;
/// The sessions of everybody.
mod tui_sessions;
/// The console in a real pseudo-terminal.
mod tui_terminal;
/// What runs long in the console: progress, cancelling, what comes too late.
mod tui_work;
/// Plans, limits that the database enforces, and the usage beside them.
mod usage;
