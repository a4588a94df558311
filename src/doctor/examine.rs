//! All checks in their order: those of the server where one answers, those of this machine always.

use tokio_postgres::Row;

use super::check::{Check, Question, Verdict};
use super::host::Terminal;
use super::{access, connection, host, safety, version};
use crate::config::Paths;
use crate::failure::Failure;
use crate::postgres::{
    Endpoint, Ident, Isolation, Link, Preamble, ServerError, Sql, Transaction, connect,
};

const CONNECTION: Question =
    Question { name: "connection", why: "without one nothing can be said of the server" };

/// What is examined.
#[derive(Debug)]
pub struct Examination<'a> {
    /// Where things lie.
    pub paths: &'a Paths,
    /// The database that is meant, or why there is none.
    pub target: Result<Endpoint, Failure>,
    /// What the program was started in.
    pub terminal: &'a Terminal,
}

/// Runs every check. Nothing is written, and no server is started.
pub async fn examine(examination: Examination<'_>) -> Vec<Check> {
    let Examination { paths, target, terminal } = examination;
    let mut checks = match target {
        Ok(endpoint) => of_server(&endpoint).await,
        Err(failure) => unseen(CONNECTION.not_run(failure.message)),
    };
    checks.extend([
        host::paths(paths),
        host::space(paths),
        host::configuration(paths),
        host::keyring(paths),
        host::terminal(terminal),
    ]);
    checks
}

/// The checks that need a server, where there is none.
fn unseen(connection: Check) -> Vec<Check> {
    const OTHERS: [Question; 10] = [
        version::QUESTION,
        access::LOGIN,
        connection::ENCRYPTION,
        connection::POOLER,
        connection::CLOCK,
        access::BYPASS,
        safety::PREPARED,
        safety::DURABILITY,
        safety::GUARD,
        safety::SESSIONS,
    ];
    let others = OTHERS.map(|question| question.not_run("there is no connection"));
    std::iter::once(connection).chain(others).collect()
}

/// The checks that need a server.
async fn of_server(endpoint: &Endpoint) -> Vec<Check> {
    let seen = match connect(endpoint, "tenantdesk doctor").await {
        Ok(link) => Seen::of(link),
        Err(error) => {
            let failure = Failure::from(error);
            return unseen(CONNECTION.fail(failure.message, failure.hints.join("; ")));
        }
    };
    let number = Sql::new("select pg_catalog.current_setting('server_version_num')::int");
    let version = match seen.row(&number).await {
        Ok(row) => version::judge(row.get(0)),
        Err(error) => version::QUESTION.not_run(error.to_string()),
    };
    vec![
        CONNECTION.ok(endpoint.to_string()),
        version,
        access::login(&seen).await,
        connection::encryption(&seen).await,
        connection::pooler(&seen, endpoint).await,
        connection::clock(&seen).await,
        access::bypass(&seen).await,
        safety::prepared(&seen).await,
        safety::durability(&seen).await,
        safety::guard(&seen).await,
        safety::sessions(&seen).await,
    ]
}

impl Check {
    /// Whether it fails, so that the verb's answer is no.
    #[must_use]
    pub fn fails(&self) -> bool {
        self.verdict == Verdict::Fail
    }
}

/// A server that answers. Each look is a transaction of its own, READ ONLY, so that one that is
/// refused takes no other with it.
pub(super) struct Seen(Link);

impl Seen {
    pub(super) const fn of(link: Link) -> Self {
        Self(link)
    }

    /// A transaction under the login itself.
    pub(super) async fn transaction(&self) -> Result<Transaction<'_>, ServerError> {
        Transaction::begin(&self.0, preamble(None)).await
    }

    /// What any login can see.
    pub(super) async fn rows(&self, sql: &Sql) -> Result<Vec<Row>, ServerError> {
        Transaction::whole(&self.0, preamble(None), sql, &[]).await
    }

    /// The one row that any login can see.
    pub(super) async fn row(&self, sql: &Sql) -> Result<Row, ServerError> {
        let transaction = self.transaction().await?;
        let row = transaction.query_one(sql, &[]).await?;
        transaction.commit().await?;
        Ok(row)
    }

    /// What our functions tell operators.
    pub(super) async fn rows_as_operator(&self, sql: &Sql) -> Result<Vec<Row>, ServerError> {
        let role = Ident::new("tenantdesk_operator");
        let transaction = Transaction::begin(&self.0, preamble(Some(&role))).await?;
        let rows = transaction.query(sql, &[]).await?;
        transaction.commit().await?;
        Ok(rows)
    }
}

const fn preamble(role: Option<&Ident>) -> Preamble<'_> {
    Preamble { isolation: Isolation::ReadOnly, role, settings: &[] }
}
