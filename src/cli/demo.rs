//! `demo`: fills the embedded server with demo tenants, then opens the console.

use serde_json::json;

use super::args::server::Demo;
use super::invocation::Invocation;
use crate::config::{Chosen, Named, Paths};
use crate::failure::Failure;
use crate::lifecycle::demo::{FillDemo, fill};
use crate::startup;

/// Fills the demo in. Says whether the console is to be opened now.
///
/// # Errors
/// What the fill says.
pub(super) fn run(invocation: &mut Invocation, demo: &Demo) -> Result<bool, Failure> {
    let paths = Paths::from_environment()?;
    if !matches!(Chosen::decide(&invocation.wish(), &paths)?.named, Named::Embedded) {
        return Err(startup::not_embedded());
    }
    let request = FillDemo { tenants: demo.tenants, rows: demo.rows, reset: demo.reset };
    if demo.reset {
        invocation.asker.confirm(
            &mut invocation.printer,
            "this removes ALL tenants of the embedded server. Go on?",
        )?;
    }
    let id = invocation.request;
    let filled = invocation.block_on(async |invocation| {
        invocation
            .watch(async |progress| {
                let started = startup::embedded(&paths, &progress).await?;
                let console = started.console.for_request(id);
                let filled = match started.superuser() {
                    Ok(superuser) => fill(&console, &superuser, request, &progress).await,
                    Err(failure) => Err(failure),
                };
                drop(console);
                started.finish(&progress).await?;
                filled
            })
            .await
    })?;
    if filled.filled {
        invocation.printer.status(&match filled.tenants {
            1 => "1 demo tenant is ready".to_owned(),
            count => format!("{count} demo tenants are ready"),
        });
    } else {
        invocation.printer.status(&match filled.tenants {
            1 => "1 tenant is there already; --reset makes it anew".to_owned(),
            count => format!("{count} tenants are there already; --reset makes them anew"),
        });
    }
    if demo.no_console || invocation.flags.json {
        invocation
            .answer(&json!({ "filled": filled.filled, "tenants": filled.tenants }), |_| ())?;
        return Ok(false);
    }
    Ok(true)
}
