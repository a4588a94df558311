//! From a [`CommandLine`] to the file of its noun.

use super::args;
use super::args::impersonation::Impersonate;
use super::args::{CommandLine, Verb};
use super::exit::Exit;
use super::invocation::Invocation;
use super::look::{Look, Surroundings};
use super::open_console::{self, ConsoleRequest};
use super::output::Printer;
use super::signals::{self, End, Signals};
use super::{
    archive, audit, completions, config, demo, doctor, export, impersonate, impersonation, man,
    operator, paths, profile, restore, server, setup, tables, tenant, usage,
};
use crate::config::EMBEDDED;
use crate::failure::{Failure, Kind};
use crate::identity::RequestId;
use crate::impersonation::StartImpersonation;

/// How the command line ends.
#[derive(Debug)]
pub enum Ended {
    /// With an exit code.
    Exit(Exit),
    /// With the wish to open the console: the other skin, which this one does not know.
    Console(Box<ConsoleRequest>),
}

/// Runs a command to its end, or up to the console.
#[must_use]
pub fn run(command_line: CommandLine, around: Surroundings) -> Ended {
    let CommandLine { flags, verb } = command_line;
    let request = RequestId::draw();
    let wants_console = match &verb {
        None => true,
        Some(Verb::Impersonate(args)) => impersonate::wants_console(args),
        Some(_) => false,
    };
    if wants_console && around.can_show_a_console(&flags) {
        // The console listens to signals for itself, from its first moment on.
        return execute(Invocation::new(flags, around, request, Signals::unheard()), verb);
    }
    let mut printer = Printer::narrator(Look::decide(&flags, &around));
    let work = move |signals| execute(Invocation::new(flags, around, request, signals), verb);
    match signals::supervise(work) {
        Ok(End::Own(ended)) => ended,
        Ok(End::GivenUp { terminated }) => {
            printer.failure(request, &signals::interrupted());
            let interrupted = Exit::Failed(Kind::Interrupted);
            Ended::Exit(if terminated { Exit::Terminated } else { interrupted })
        }
        Err(failure) => {
            printer.failure(request, &failure);
            Ended::Exit(Exit::Failed(failure.kind))
        }
    }
}

/// Runs a command on the thread on which it is to end.
fn execute(mut invocation: Invocation, verb: Option<Verb>) -> Ended {
    invocation.start_log();
    if let Err(refused) = refuse_other_server(&invocation, verb.as_ref()) {
        return Ended::Exit(invocation.conclude(Err(refused)));
    }
    let result = match verb {
        None if invocation.has_terminal() => return console(invocation),
        None => what_to_run(&mut invocation),
        Some(Verb::Demo(args)) => match demo::run(&mut invocation, &args) {
            Ok(true) if invocation.has_terminal() => return console(invocation),
            Ok(true) => {
                invocation.printer.hint(
                    "the console needs a terminal; `tenantdesk tenant list` lists the tenants",
                );
                Ok(())
            }
            Ok(false) => Ok(()),
            Err(failure) => Err(failure),
        },
        Some(Verb::Server(verb)) => server::run(&mut invocation, verb),
        Some(Verb::Setup(args)) => setup::run(&mut invocation, &args),
        Some(Verb::Tables(verb)) => tables::run(&mut invocation, verb),
        Some(Verb::Operator(verb)) => operator::run(&mut invocation, verb),
        Some(Verb::Tenant(verb)) => tenant::run(&mut invocation, verb),
        Some(Verb::Member(verb)) => tenant::member(&mut invocation, verb),
        Some(Verb::Usage(args)) => usage::run(&mut invocation, &args),
        Some(Verb::Plan(verb)) => usage::plan(&mut invocation, &verb),
        Some(Verb::Limit(verb)) => usage::limit(&mut invocation, verb),
        Some(Verb::Export(args)) => export::export(&mut invocation, args),
        Some(Verb::Archive(verb)) => archive::run(&mut invocation, verb),
        Some(Verb::Restore(args)) => restore::restore(&mut invocation, args),
        Some(Verb::Impersonate(args)) if impersonate::wants_console(&args) => {
            return impersonate_in_console(invocation, &args);
        }
        Some(Verb::Impersonate(args)) => impersonate::run(&mut invocation, &args),
        Some(Verb::Impersonation(verb)) => impersonation::run(&mut invocation, &verb),
        Some(Verb::Audit(verb)) => audit::run(&mut invocation, verb),
        Some(Verb::Profile(verb)) => profile::run(&mut invocation, verb),
        Some(Verb::Config(verb)) => config::run(&mut invocation, &verb),
        Some(Verb::Doctor) => doctor::run(&mut invocation),
        Some(Verb::Paths) => paths::print(&mut invocation),
        Some(Verb::Completions(args)) => completions::print(&mut invocation, &args),
        Some(Verb::Man(args)) => man::print(&mut invocation, &args),
    };
    Ended::Exit(invocation.conclude(result))
}

/// A profile that is named is never ignored: these verbs know one server only.
fn refuse_other_server(invocation: &Invocation, verb: Option<&Verb>) -> Result<(), Failure> {
    let other = invocation.flags.profile.as_deref().is_some_and(|name| name != EMBEDDED);
    if other && matches!(verb, Some(Verb::Server(_))) {
        let message = "`server` is about the embedded server, and `--profile` names another";
        return Err(Failure::new(Kind::Usage, message));
    }
    Ok(())
}

/// Without statements, the console opens inside the tenant.
fn impersonate_in_console(invocation: Invocation, args: &Impersonate) -> Ended {
    if invocation.has_terminal() {
        return console_at(invocation, Some(impersonate::request(args)));
    }
    let failure =
        Failure::new(Kind::Usage, "there is no statement to run, and no terminal for the console")
            .hint("give a statement with `-c`, or a file with `-f`");
    Ended::Exit(invocation.conclude(Err(failure)))
}

/// Up to the console, or why there can be none.
fn console(invocation: Invocation) -> Ended {
    console_at(invocation, None)
}

/// Up to the console at a place, or why there can be none.
fn console_at(invocation: Invocation, impersonate: Option<StartImpersonation>) -> Ended {
    match open_console::request(invocation, impersonate) {
        Ok(request) => Ended::Console(Box::new(request)),
        Err(exit) => Ended::Exit(exit),
    }
}

/// Without a verb and without a terminal: how the server stands, and what to run.
fn what_to_run(invocation: &mut Invocation) -> Result<(), Failure> {
    server::run(invocation, args::server::Server::Status)?;
    invocation.printer.hint("`tenantdesk demo` fills the embedded server with demo tenants");
    invocation
        .printer
        .hint("`tenantdesk tenant list` lists the tenants, `tenantdesk --help` all verbs");
    invocation.printer.hint("the console needs a terminal");
    Ok(())
}
