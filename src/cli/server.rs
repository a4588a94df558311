//! `server start|stop|status|url|psql|logs`: the embedded server.

use serde_json::{Value, json};

use super::args::server::Server as Verb;
use super::invocation::Invocation;
use crate::config::Paths;
use crate::failure::{Failure, Kind};
use crate::postgres::embedded::Embedded;
use crate::server::logs::{ReadLogs, logs};
use crate::server::psql::{self, OpenPsql};
use crate::server::start::{StartServer, start};
use crate::server::status::{ServerStatus, status};
use crate::server::stop;
use crate::server::url::url;
use crate::startup;

/// Runs a verb of `server`.
///
/// # Errors
/// What the verb says.
pub(super) fn run(invocation: &mut Invocation, verb: Verb) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let embedded = Embedded::new(&paths);
    match verb {
        Verb::Start(arguments) => {
            let request = StartServer { tcp: arguments.tcp };
            let started = invocation.block_on(async |invocation| {
                invocation
                    .watch(async |progress| {
                        let started = start(&embedded, request, &progress).await?;
                        // Roles, schema and guard are there before anybody connects.
                        startup::embedded(&paths, &progress).await?.finish(&progress).await?;
                        Ok(started)
                    })
                    .await
            })?;
            let word =
                if started.ran_before { "the server runs already" } else { "the server runs" };
            invocation.printer.status(&format!("{word}, until `tenantdesk server stop`"));
            invocation
                .answer(&document(&started.status), |printer| printer.pairs(pairs(&started.status)))
        }
        Verb::Stop => {
            let stopped = invocation.block_on(async |invocation| {
                let plan = invocation
                    .watch(async |progress| stop::prepare(&embedded, &progress).await)
                    .await?;
                if plan.in_use {
                    let question =
                        "other processes use the server; their connections are closed. Stop it?";
                    invocation.asker.confirm(&mut invocation.printer, question)?;
                }
                invocation
                    .watch(async |progress| stop::stop(&embedded, plan, &progress).await)
                    .await
            })?;
            let word = if stopped.ran_before {
                "the server has stopped"
            } else {
                "the server was not running"
            };
            invocation.printer.status(word);
            invocation.answer(&json!({ "stopped": stopped.ran_before }), |_| ())
        }
        Verb::Status => {
            let seen = invocation.block_on(async |invocation| {
                invocation.watch(async |progress| status(&embedded, &progress).await).await
            })?;
            invocation.answer(&document(&seen), |printer| printer.pairs(pairs(&seen)))
        }
        Verb::Url(choice) => {
            let address =
                invocation.block_on(async |_| url(&embedded, choice.role.into()).await)?;
            if !address.running {
                let hint =
                    "the server does not run now: `tenantdesk server start` keeps it running";
                invocation.printer.hint(hint);
            }
            let document = json!({ "url": address.url, "running": address.running });
            invocation.answer(&document, |printer| printer.line(&address.url))
        }
        Verb::Psql(arguments) => {
            let request = OpenPsql {
                role: arguments.role.into(),
                arguments: arguments.arguments.into_iter().map(Into::into).collect(),
            };
            self::psql(invocation, &paths, &embedded, request)
        }
        Verb::Logs(arguments) => {
            let lines = usize::try_from(arguments.lines).unwrap_or(usize::MAX);
            let read = logs(&embedded, ReadLogs { lines })?;
            let document = json!({ "path": read.path.to_string_lossy(), "lines": read.lines });
            invocation.answer(&document, |printer| {
                for line in &read.lines {
                    printer.line(line);
                }
            })
        }
    }
}

/// `server psql`: the client runs on this terminal while the server is held.
fn psql(
    invocation: &mut Invocation,
    paths: &Paths,
    embedded: &Embedded,
    request: OpenPsql,
) -> Result<(), Failure> {
    let code = invocation.block_on(async |invocation| {
        let started =
            invocation.watch(async |progress| startup::embedded(paths, &progress).await).await?;
        let plan = invocation
            .watch(async |progress| match &started.server {
                Some(server) => psql::prepare(embedded, server, request, &progress).await,
                None => Err(Failure::refused("only the embedded server has a psql of its own")),
            })
            .await;
        let result = match plan {
            Ok(plan) => psql::run(&plan).await,
            Err(failure) => Err(failure),
        };
        invocation.watch(async |progress| started.finish(&progress).await).await?;
        result
    })?;
    if code == 0 {
        return Ok(());
    }
    Err(Failure::new(Kind::Server, format!("psql ended with exit code {code}")))
}

/// The status as JSON.
fn document(seen: &ServerStatus) -> Value {
    json!({
        "state": seen.state.as_str(),
        "version": seen.version,
        "port": seen.port,
        "tcp": seen.tcp,
        "socket_dir": seen.socket_dir.to_string_lossy(),
        "data_dir": seen.data_dir.to_string_lossy(),
        "fsync": seen.fsync,
        "pid": seen.pid,
        "home": seen.home.to_string_lossy(),
        "stays": seen.stays,
        "in_use": seen.in_use,
    })
}

/// The status as labels and values.
fn pairs(seen: &ServerStatus) -> Vec<(&'static str, String)> {
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    vec![
        ("state", seen.state.as_str().to_owned()),
        ("version", seen.version.clone().unwrap_or_else(|| "none yet".to_owned())),
        ("port", seen.port.to_string()),
        ("tcp", yes(seen.tcp)),
        ("socket_dir", seen.socket_dir.to_string_lossy().into_owned()),
        ("data_dir", seen.data_dir.to_string_lossy().into_owned()),
        ("fsync", seen.fsync.map_or_else(|| "unknown".to_owned(), yes)),
        ("stays", yes(seen.stays)),
        ("in_use", yes(seen.in_use)),
    ]
}
