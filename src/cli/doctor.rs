//! `doctor`: is our own set-up sound? Works without a database, starts none and writes nothing.

use serde_json::json;

use super::invocation::Invocation;
use super::target;
use crate::config::{Paths, env};
use crate::doctor::{Check, Examination, Terminal, Verdict, examine, present_endpoint};
use crate::failure::{Failure, Kind};

/// Examines and tells.
///
/// # Errors
/// Where a check fails (exit code 1), or there is no home directory to look at.
pub(super) fn run(invocation: &mut Invocation) -> Result<(), Failure> {
    let paths = Paths::from_environment()?;
    let target = target::choose(invocation, &paths).map(|chosen| chosen.target);
    let terminal = terminal(invocation);
    let checks = invocation.block_on(async |invocation| {
        let examination = async |progress: crate::progress::Progress| {
            let look = async {
                let target = match target {
                    Ok(target) => present_endpoint(&paths, &target).await,
                    Err(failure) => Err(failure),
                };
                Ok(examine(Examination { paths: &paths, target, terminal: &terminal }).await)
            };
            progress.unless_cancelled(look).await
        };
        invocation.watch(examination).await
    })?;
    invocation.answer(&json!({ "checks": checks }), |printer| {
        for check in &checks {
            for line in lines(check) {
                printer.line(&line);
            }
        }
    })?;
    match checks.iter().filter(|check| check.fails()).count() {
        0 => Ok(()),
        1 => Err(Failure::new(Kind::Negative, "1 check fails")),
        count => Err(Failure::new(Kind::Negative, format!("{count} checks fail"))),
    }
}

/// One check; why and what to do only where there is something to do.
fn lines(check: &Check) -> Vec<String> {
    let head = format!("{:<8}{}: {}", check.verdict.as_str(), check.name, check.seen);
    let mut lines = vec![head];
    if matches!(check.verdict, Verdict::Warn | Verdict::Fail) {
        lines.push(format!("        why: {}", check.why));
        lines.push(format!("        fix: {}", check.fix));
    }
    lines
}

fn terminal(invocation: &Invocation) -> Terminal {
    let read =
        |variable: env::Variable| variable.read().map(|value| value.to_string_lossy().into_owned());
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    let size = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    Terminal {
        size: size.filter(|_| invocation.prints_on_a_terminal()),
        locale: env::LOCALE.into_iter().find_map(read),
        term: read(env::TERM),
        no_color: env::NO_COLOR.read().is_some(),
        ascii: invocation.flags.ascii,
    }
}
