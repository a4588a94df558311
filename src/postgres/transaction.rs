//! One transaction: BEGIN, the role and the settings go out in one round trip, and everything set
//! is local to it. Nothing of ours relies on the state of a session, so a pooler may sit in between.

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{join4, try_join};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CopyInSink, CopyOutStream, Row, SimpleQueryMessage, SimpleQueryStream};

use super::connect::Link;
use super::error::ServerError;
use super::sql::{Ident, Sql};

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// READ COMMITTED, READ ONLY.
    ReadOnly,
    /// READ COMMITTED, READ WRITE.
    ReadWrite,
    /// REPEATABLE READ, READ ONLY: one snapshot, for an export.
    Snapshot,
}

impl Isolation {
    /// Named in full, because a login may have set other defaults for itself.
    const fn begin(self) -> &'static str {
        match self {
            Self::ReadOnly => "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY",
            Self::ReadWrite => "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
            Self::Snapshot => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        }
    }
}

/// Settings that must not differ between transactions: what a text form of a value depends on, and
/// how long one may be left open. They are part of each transaction, not of the connection: a
/// pooler refuses them at the start of one, and mixes up what is set later.
const PINNED: &str = "; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
     SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; \
     SET LOCAL lc_monetary = 'C'; SET LOCAL idle_in_transaction_session_timeout = '10min'";

/// What a transaction begins with.
#[derive(Debug, Clone)]
pub struct Preamble<'a> {
    /// Isolation and access mode.
    pub isolation: Isolation,
    /// The role for `SET LOCAL ROLE`, or none for the login itself.
    pub role: Option<&'a Ident>,
    /// Transaction-local settings, name and value.
    pub settings: &'a [(&'a str, &'a str)],
}

/// One SELECT that sets all settings, with its values.
type Settings<'a> = (String, Vec<(&'a (dyn ToSql + Sync), Type)>);

impl<'a> Preamble<'a> {
    /// BEGIN with the role, and one SELECT for the settings: ($1, $2), ($3, $4), ..
    fn statements(&self) -> (String, Option<Settings<'a>>) {
        let mut head = self.isolation.begin().to_owned();
        head.push_str(PINNED);
        if let Some(role) = self.role {
            head.push_str("; SET LOCAL ROLE ");
            head.push_str(&role.to_string());
        }
        if self.settings.is_empty() {
            return (head, None);
        }
        let places: Vec<String> = (0..self.settings.len())
            .map(|n| format!("pg_catalog.set_config(${}, ${}, true)", 2 * n + 1, 2 * n + 2))
            .collect();
        let values = self
            .settings
            .iter()
            .flat_map(|(name, value)| {
                [
                    (name as &(dyn ToSql + Sync), Type::TEXT),
                    (value as &(dyn ToSql + Sync), Type::TEXT),
                ]
            })
            .collect();
        (head, Some((format!("SELECT {}", places.join(", ")), values)))
    }
}

/// An open transaction. Dropping it without [`Transaction::commit`] rolls it back.
#[derive(Debug)]
pub struct Transaction<'l> {
    link: &'l Link,
    open: bool,
}

impl<'l> Transaction<'l> {
    /// Begins a transaction.
    ///
    /// # Errors
    /// What the server says of the role or of a setting, or that the connection is gone.
    pub async fn begin(link: &'l Link, preamble: Preamble<'_>) -> Result<Self, ServerError> {
        let (head, settings) = preamble.statements();
        let transaction = Self { link, open: true };
        let client = link.client();
        match settings {
            None => client.batch_execute(&head).await?,
            // Both are sent before an answer is awaited.
            Some((select, values)) => {
                try_join(client.batch_execute(&head), client.query_typed(&select, &values)).await?;
            }
        }
        Ok(transaction)
    }

    /// Runs one statement as a whole transaction in one round trip: all of it is sent before an
    /// answer is awaited. Where the statement fails, the COMMIT behind it only rolls back.
    ///
    /// # Errors
    /// The first that the server says.
    pub async fn whole(
        link: &'l Link,
        preamble: Preamble<'_>,
        sql: &Sql,
        values: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, ServerError> {
        let (head, settings) = preamble.statements();
        let client = link.client();
        let (select, set) = settings.unwrap_or_else(|| ("SELECT".to_owned(), Vec::new()));
        let (begun, set, rows, committed) = join4(
            client.batch_execute(&head),
            client.query_typed(&select, &set),
            client.query_typed(sql.as_str(), values),
            client.batch_execute("COMMIT"),
        )
        .await;
        begun?;
        set?;
        let rows = rows?;
        committed?;
        Ok(rows)
    }

    /// Runs a query and gives all rows; for bounded results only.
    ///
    /// # Errors
    /// What the server says.
    pub async fn query(
        &self,
        sql: &Sql,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ServerError> {
        let typed = self.typed(sql, values).await?;
        Ok(self.link.client().query_typed(sql.as_str(), &typed).await?)
    }

    /// Runs a query that gives at most one row.
    ///
    /// # Errors
    /// What the server says, or that there were more rows.
    pub async fn query_opt(
        &self,
        sql: &Sql,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, ServerError> {
        let typed = self.typed(sql, values).await?;
        Ok(self.link.client().query_typed_opt(sql.as_str(), &typed).await?)
    }

    /// Runs a query that gives exactly one row.
    ///
    /// # Errors
    /// What the server says, or that there was not one row.
    pub async fn query_one(
        &self,
        sql: &Sql,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, ServerError> {
        let typed = self.typed(sql, values).await?;
        Ok(self.link.client().query_typed_one(sql.as_str(), &typed).await?)
    }

    /// Runs one statement by the extended protocol and gives the rows affected.
    ///
    /// # Errors
    /// What the server says.
    pub async fn execute(
        &self,
        sql: &Sql,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, ServerError> {
        let typed = self.typed(sql, values).await?;
        Ok(self.link.client().execute_typed(sql.as_str(), &typed).await?)
    }

    /// The values with the types that the server expects. The statement itself runs without a
    /// name: the driver's rows would keep a named one beyond the transaction, and behind a pooler
    /// it would then be closed in another session, and be in the way in this one.
    async fn typed<'v>(
        &self,
        sql: &Sql,
        values: &[&'v (dyn ToSql + Sync)],
    ) -> Result<Vec<(&'v (dyn ToSql + Sync), Type)>, ServerError> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        // Dropped at once, which closes it within the transaction.
        let types = self.link.client().prepare(sql.as_str()).await?.params().to_vec();
        if types.len() != values.len() {
            let said = format!("{} values for {} places", values.len(), types.len());
            return Err(ServerError::Answer(said));
        }
        Ok(values.iter().copied().zip(types).collect())
    }

    /// Runs constants of ours by the simple protocol, several statements if need be.
    ///
    /// # Errors
    /// What the server says.
    pub async fn batch(&self, sql: &Sql) -> Result<(), ServerError> {
        Ok(self.link.client().batch_execute(sql.as_str()).await?)
    }

    /// Runs a constant of ours by the simple protocol, which gives every value in its text form.
    ///
    /// # Errors
    /// What the server says.
    pub async fn simple(&self, sql: &Sql) -> Result<Vec<SimpleQueryMessage>, ServerError> {
        Ok(self.link.client().simple_query(sql.as_str()).await?)
    }

    /// As [`Transaction::simple`], row by row: for results whose size nobody knows.
    ///
    /// # Errors
    /// What the server says.
    pub async fn simple_stream(&self, sql: &Sql) -> Result<SimpleQueryStream, ServerError> {
        Ok(self.link.client().simple_query_raw(sql.as_str()).await?)
    }

    /// Starts `COPY .. TO STDOUT`.
    ///
    /// # Errors
    /// What the server says.
    pub async fn copy_out(&self, sql: &Sql) -> Result<CopyOutStream, ServerError> {
        Ok(self.link.client().copy_out(sql.as_str()).await?)
    }

    /// Starts `COPY .. FROM STDIN`.
    ///
    /// # Errors
    /// What the server says.
    pub async fn copy_in(&self, sql: &Sql) -> Result<CopyInSink<Bytes>, ServerError> {
        Ok(self.link.client().copy_in(sql.as_str()).await?)
    }

    /// The driver's client, for what has no method here.
    #[must_use]
    pub fn client(&self) -> &tokio_postgres::Client {
        self.link.client()
    }

    /// Commits.
    ///
    /// # Errors
    /// What the server says; a lost connection means that the outcome is unknown.
    pub async fn commit(mut self) -> Result<(), ServerError> {
        self.open = false;
        Ok(self.link.client().batch_execute("COMMIT").await?)
    }

    /// Rolls back and waits until it is done.
    ///
    /// # Errors
    /// That the connection is gone, which rolls back as well.
    pub async fn rollback(mut self) -> Result<(), ServerError> {
        self.open = false;
        Ok(self.link.client().batch_execute("ROLLBACK").await?)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            // One poll puts the message on its way; the driver task sends it and reads the answer.
            let _on_its_way = self.link.client().batch_execute("ROLLBACK").now_or_never();
        }
    }
}
