//! The log: JSON lines in a file of mode 0600, one file a day, without secrets.
//!
//! The log is for finding faults of this program; what people did is in the ledger. Whatever a
//! library logs passes through the same redaction, and the database driver is capped at `warn`,
//! because below that it writes the parameters of statements.

mod file;
mod layer;
mod redact;

use std::path::{Path, PathBuf};

use thiserror::Error;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::failure::{Explain, Kind};
use crate::identity::RequestId;

pub use file::DailyFile;
pub use layer::JsonLines;
pub use redact::redact;

/// Why there is no log. The program works without one, so callers warn and go on.
#[derive(Debug, Error)]
pub enum LogError {
    /// The file cannot be written.
    #[error("cannot write the log in `{}`", .directory.display())]
    File {
        /// The directory of the log.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Someone else has set the process up for logging.
    #[error("the log was started twice")]
    Twice,
}

impl Explain for LogError {
    fn kind(&self) -> Kind {
        match self {
            Self::File { .. } => Kind::Refused,
            Self::Twice => Kind::Internal,
        }
    }
}

/// Starts the log of this process: everything after this call that is logged goes to `directory`.
///
/// # Errors
/// [`LogError`] where the file cannot be opened, or the log was started before.
pub fn start(directory: &Path, request: RequestId, verbose: bool) -> Result<(), LogError> {
    let failed = |source| LogError::File { directory: directory.to_owned(), source };
    let file = DailyFile::open(directory).map_err(failed)?;
    tracing_subscriber::registry()
        .with(targets(verbose))
        .with(JsonLines::new(file, request))
        .try_init()
        .map_err(|_| LogError::Twice)
}

/// Who may log what. The cap on the driver holds at every verbosity.
fn targets(verbose: bool) -> Targets {
    let ours = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("tenantdesk", ours)
        .with_target("tokio_postgres", LevelFilter::WARN)
        .with_target("postgres_protocol", LevelFilter::WARN)
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_driver_never_logs_below_warn() {
        for verbose in [false, true] {
            let targets = targets(verbose);
            for level in [Level::INFO, Level::DEBUG, Level::TRACE] {
                assert!(!targets.would_enable("tokio_postgres", &level));
                assert!(!targets.would_enable("tokio_postgres::prepare", &level));
            }
            assert!(targets.would_enable("tokio_postgres", &Level::WARN));
            assert!(targets.would_enable("tenantdesk::archive", &Level::INFO));
        }
        assert!(targets(true).would_enable("tenantdesk", &Level::DEBUG));
        assert!(!targets(false).would_enable("tenantdesk", &Level::DEBUG));
    }
}
