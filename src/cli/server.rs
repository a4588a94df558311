//! `server ..`: the embedded server. It works without a console and without an operator.

use std::ffi::OsString;
use std::path::Path;

use serde::Serialize;

use super::args::server::{Logs, Psql, RoleChoice, Server, Start};
use super::invocation::Invocation;
use super::output::Printer;
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::progress::Progress;
use crate::server::logs::ReadLogs;
use crate::server::loopback::{self, Loopback};
use crate::server::psql::OpenPsql;
use crate::server::start::StartServer;
use crate::server::status::ServerStatus;
use crate::server::{Embedded, logs, psql, start, status, stop, url};
use crate::startup;

/// Runs a verb about the server.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Server) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let embedded = Embedded::new(&paths);
    invocation.block_on(async |invocation| match verb {
        Server::Start(args) => start_server(invocation, &paths, &args).await,
        Server::Stop => stop_server(invocation, &embedded).await,
        Server::Status => show_status(invocation, &embedded).await,
        Server::Url(args) => print_url(invocation, &embedded, &args).await,
        Server::Psql(args) => open_psql(invocation, &paths, args).await,
        Server::Logs(args) => print_logs(invocation, &embedded, &args),
    })
}

/// The JSON form of the server's state.
#[derive(Serialize)]
struct StatusDocument<'s> {
    state: &'static str,
    version: Option<&'s str>,
    port: u16,
    tcp: bool,
    socket_dir: &'s Path,
    data_dir: &'s Path,
    fsync: Option<bool>,
    pid: Option<i32>,
    home: &'s Path,
    stays: bool,
    in_use: bool,
}

/// What `server start` tells: the state, and how an application comes in where TCP is open.
#[derive(Serialize)]
struct StartDocument<'s> {
    #[serde(flatten)]
    status: StatusDocument<'s>,
    tcp_url: Option<&'s str>,
    passfile: Option<&'s Path>,
}

impl<'s> From<&'s ServerStatus> for StatusDocument<'s> {
    fn from(status: &'s ServerStatus) -> Self {
        Self {
            state: status.state.as_str(),
            version: status.version.as_deref(),
            port: status.port,
            tcp: status.tcp,
            socket_dir: &status.socket_dir,
            data_dir: &status.data_dir,
            fsync: status.fsync,
            pid: status.pid,
            home: &status.home,
            stays: status.stays,
            in_use: status.in_use,
        }
    }
}

fn print_status(printer: &mut Printer, status: &ServerStatus) {
    let unknown = || "-".to_owned();
    let yes_no = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    printer.pairs([
        ("state", status.state.as_str().to_owned()),
        ("version", status.version.clone().unwrap_or_else(unknown)),
        ("port", status.port.to_string()),
        ("tcp", yes_no(status.tcp)),
        ("socket", status.socket_dir.to_string_lossy().into_owned()),
        ("data", status.data_dir.to_string_lossy().into_owned()),
        ("fsync", status.fsync.map_or_else(unknown, |on| if on { "on" } else { "off" }.to_owned())),
        ("process", status.pid.map_or_else(unknown, |pid| pid.to_string())),
        ("stays", yes_no(status.stays)),
        ("in use", yes_no(status.in_use)),
    ]);
}

async fn start_server(
    invocation: &mut Invocation,
    paths: &Paths,
    args: &Start,
) -> Result<(), Failure> {
    let request = StartServer { tcp: args.tcp };
    let verb = async |progress| {
        let started = start::start(&Embedded::new(paths), request, &progress).await?;
        // Roles, schema and guard are there before anybody connects.
        let prepared = startup::embedded(paths, &progress).await?;
        let loopback = match &prepared.server {
            Some(server) if started.status.tcp => {
                Some(loopback::open(paths, server, started.status.port).await)
            }
            _ => None,
        };
        prepared.finish(&progress).await?;
        Ok((started, loopback.transpose()?))
    };
    let (started, loopback) = invocation.watch(verb).await?;
    let what =
        if started.ran_before { "the server was already running" } else { "the server is running" };
    invocation.printer.status(&format!("{what}; `tenantdesk server stop` stops it"));
    if let Some(Loopback { url, passfile }) = &loopback {
        let passfile = passfile.display();
        invocation.printer.status(&format!("applications: PGPASSFILE={passfile} psql {url}"));
    }
    let document = StartDocument {
        status: StatusDocument::from(&started.status),
        tcp_url: loopback.as_ref().map(|loopback| loopback.url.as_str()),
        passfile: loopback.as_ref().map(|loopback| loopback.passfile.as_path()),
    };
    invocation.answer(&document, |printer| print_status(printer, &started.status))
}

async fn stop_server(invocation: &mut Invocation, embedded: &Embedded) -> Result<(), Failure> {
    let look = |progress| async move { stop::prepare(embedded, &progress).await };
    let plan = invocation.watch(look).await?;
    if plan.in_use {
        let question = "Other processes use the server; their open work is lost. Stop it?";
        invocation.asker.confirm(&mut invocation.printer, question).map_err(|failure| {
            match failure.kind {
                Kind::Usage => failure.hint(
                    "other processes use the server, and their open work would be lost; `--yes` stops it all the same",
                ),
                _ => failure,
            }
        })?;
    }
    let verb = |progress| async move { stop::stop(embedded, plan, &progress).await };
    let stopped = invocation.watch(verb).await?;
    let document = serde_json::json!({ "ran_before": stopped.ran_before });
    let what = if stopped.ran_before { "stopped" } else { "the server was not running" };
    invocation.printer.status(what);
    invocation.answer(&document, |_| {})
}

async fn show_status(invocation: &mut Invocation, embedded: &Embedded) -> Result<(), Failure> {
    let verb = |progress| async move { status::status(embedded, &progress).await };
    let status = invocation.watch(verb).await?;
    invocation.answer(&StatusDocument::from(&status), |printer| print_status(printer, &status))
}

async fn print_url(
    invocation: &mut Invocation,
    embedded: &Embedded,
    args: &RoleChoice,
) -> Result<(), Failure> {
    let address = url::url(embedded, args.role.into()).await?;
    if !address.running {
        invocation.printer.hint("the server does not run; `tenantdesk server start` starts it");
    }
    let document = serde_json::json!({ "url": address.url, "running": address.running });
    invocation.answer(&document, |printer| printer.line(&address.url))
}

async fn open_psql(invocation: &mut Invocation, paths: &Paths, args: Psql) -> Result<(), Failure> {
    let arguments: Vec<OsString> = args.arguments.into_iter().map(OsString::from).collect();
    let request = OpenPsql { role: args.role.into(), arguments };
    let started = invocation.watch(async |progress| startup::embedded(paths, &progress).await);
    let started = started.await?;
    let code = async {
        let Some(server) = &started.server else {
            return Err(Failure::refused("only the embedded server has a psql of its own"));
        };
        let embedded = Embedded::new(paths);
        let plan = psql::prepare(&embedded, server, request, &Progress::silent()).await?;
        let _child = invocation.signals.with_child();
        psql::run(&plan, invocation.signals.terminated()).await
    };
    let code = code.await;
    // The server is given back whatever became of the client.
    started.finish(&Progress::silent()).await?;
    let code = code?;
    invocation.signals.checkpoint()?;
    invocation.ends_as_child(code);
    Ok(())
}

fn print_logs(
    invocation: &mut Invocation,
    embedded: &Embedded,
    args: &Logs,
) -> Result<(), Failure> {
    let request = ReadLogs { lines: usize::try_from(args.lines).unwrap_or(usize::MAX) };
    let found = logs::logs(embedded, request)?;
    if found.lines.is_empty() {
        invocation.printer.hint("the server has written no log yet");
    }
    let document = serde_json::json!({ "path": found.path, "lines": found.lines });
    invocation.answer(&document, |printer| {
        for line in &found.lines {
            printer.line(line);
        }
    })
}
