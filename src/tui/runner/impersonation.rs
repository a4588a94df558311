//! Effects inside an impersonation. The runner holds the session; statements queue in it.

use std::sync::Arc;

use super::Site;
use crate::config::Settings;
use crate::failure::{Failure, Kind};
use crate::impersonation::{
    self as inside, From, Impersonation, ImpersonationError, PageAsk as Ask, StartImpersonation,
};
use crate::text::Untrusted;
use crate::tui::effect::RequestNo;
use crate::tui::facts::{
    ColumnFacts, EndReason, ExportAsk, ExportOf, KeySet, Links, MemberFacts, OpenAsk, PageAsk,
    PageFacts, PageFrom, RecordFacts, RecordField, RelationFacts, ResultFacts, SessionFacts,
    StatementFacts,
};

impl Site {
    /// Opens a session and keeps it.
    pub(super) async fn open_session(&self, ask: OpenAsk) -> Result<SessionFacts, Failure> {
        let request = StartImpersonation {
            tenant: ask.tenant.to_string(),
            member: ask.member,
            mode: ask.mode,
            reason: ask.reason,
            ticket: ask.ticket,
            duration: Some(ask.duration),
        };
        self.start(request).await
    }

    /// Opens a session as the command line asks for it.
    pub(in crate::tui) async fn start(
        &self,
        request: StartImpersonation,
    ) -> Result<SessionFacts, Failure> {
        let console = self.console().await?;
        let operator = console.operator().clone();
        let plan = inside::prepare(&console, request).await?;
        let session = inside::open(&console, plan).await?;
        let facts = SessionFacts {
            id: session.id(),
            operator,
            tenant: session.tenant.id.clone(),
            slug: Untrusted::new(session.tenant.handle()),
            member: session.member.clone().map(|member| MemberFacts {
                id: member.id,
                email: member.email,
                name: member.name.unwrap_or_default(),
                role: member.role.unwrap_or_default(),
                state: member.state.unwrap_or_default(),
                active: true,
            }),
            mode: session.mode(),
            reason: Untrusted::from(session.reason.as_str()),
            ticket: session.ticket.as_deref().map(Untrusted::from),
            opened_at: session.opened_at(),
            expires_at: session.expires_at(),
        };
        let session = Arc::new(session);
        self.shared.sessions.lock().await.insert(session.id(), Arc::clone(&session));
        self.watch(&session);
        self.shared.look_again.notify_one();
        Ok(facts)
    }

    /// Ends a session that the runner holds; one that is over already is fine.
    pub(super) async fn end_session(&self, id: i64, why: EndReason) -> Result<(), Failure> {
        let Some(session) = self.shared.sessions.lock().await.remove(&id) else { return Ok(()) };
        let why = match why {
            EndReason::Operator => "operator",
            EndReason::Expired => "expired",
            EndReason::Quit => "quit",
            EndReason::Unwanted => "not wanted any more",
        };
        // A statement that runs holds the session: it is stopped first.
        if let Err(error) = session.canceller().cancel().await {
            tracing::debug!(%error, "nothing to cancel");
        }
        let mut session = session;
        for _ in 0..200 {
            match Arc::try_unwrap(session) {
                Ok(alone) => return alone.end(why).await.map_err(Failure::from),
                Err(shared) => session = shared,
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        // It ends from the outside, which closes its connection under the statement.
        let console = self.console().await?;
        crate::tenant::sessions::end(&console, id, Some(why)).await?;
        Ok(())
    }

    /// The session of a number.
    async fn session(&self, id: i64) -> Result<Arc<Impersonation>, Failure> {
        let found = self.shared.sessions.lock().await.get(&id).cloned();
        found.ok_or_else(|| {
            self.tell_lost(id, "it is not open any more");
            Failure::refused("this impersonation is over")
        })
    }

    /// What can be browsed.
    pub(super) async fn relations(&self, session: i64) -> Result<Vec<RelationFacts>, Failure> {
        let session = self.session(session).await?;
        let relations = session.relations(Some(self.request)).await;
        let relations = self.noticed(&session, relations).await?;
        Ok(relations
            .into_iter()
            .map(|relation| RelationFacts {
                class: Untrusted::from(relation.class.as_str()),
                name: relation.name,
                rows_estimate: relation.rows_estimate,
            })
            .collect())
    }

    /// A page of rows.
    pub(super) async fn page(
        &self,
        no: RequestNo,
        session: i64,
        ask: PageAsk,
    ) -> Result<PageFacts, Failure> {
        let session = self.session(session).await?;
        let ask = Ask { request: Some(self.request), ..page_ask(ask) };
        let page = self.cancellable(no, &session, session.page(&ask)).await?;
        Ok(PageFacts {
            columns: page
                .columns
                .into_iter()
                .map(|column| ColumnFacts {
                    name: Untrusted::new(column.name),
                    kind: Untrusted::new(column.type_name),
                    numeric: column.numeric,
                    sortable: column.sortable,
                })
                .collect(),
            rows: page.rows,
            keys: page.keys.into_iter().map(|key| KeySet(key.0)).collect(),
            shortened: page.shortened,
            note: page.note.map(Untrusted::from),
            cut: page.cut.is_some(),
            before: page.before.map(|keys| KeySet(keys.0)),
            after: page.after.map(|keys| KeySet(keys.0)),
        })
    }

    /// One record.
    pub(super) async fn record(
        &self,
        no: RequestNo,
        session: i64,
        relation: String,
        key: KeySet,
    ) -> Result<RecordFacts, Failure> {
        let session = self.session(session).await?;
        let key = inside::KeySet(key.0);
        let record = session.record(&relation, &key, Some(self.request));
        let record = self.cancellable(no, &session, record).await?;
        let field = |field: inside::RecordField| RecordField {
            name: Untrusted::new(field.column.name),
            value: field.value,
            shortened: field.shortened,
        };
        Ok(RecordFacts { fields: record.into_iter().map(field).collect() })
    }

    /// Where one can go from a row of a relation.
    pub(super) async fn links(
        &self,
        no: RequestNo,
        session: i64,
        (relation, row): (String, Vec<(String, Option<String>)>),
        counted: bool,
    ) -> Result<Links, Failure> {
        let session = self.session(session).await?;
        let links = session.links(&relation, &row, counted, Some(self.request));
        self.cancellable(no, &session, links).await
    }

    /// Rows of the screen go to a file.
    pub(super) async fn export_result(
        &self,
        session: i64,
        ask: ExportAsk,
    ) -> Result<ResultFacts, Failure> {
        let session = self.session(session).await?;
        let path = std::path::absolute(&ask.path).unwrap_or(ask.path);
        let export = inside::ResultExport {
            of: match ask.of {
                ExportOf::Page(page) => inside::ResultOf::Page(page_ask(page)),
                ExportOf::Statement(sql) => inside::ResultOf::Statement(sql),
            },
            columns: ask.columns,
            rows: ask.rows,
            truncated: ask.truncated,
            path,
        };
        session.export_result(export, Some(self.request)).await
    }

    /// The exact number of rows.
    pub(super) async fn count(
        &self,
        no: RequestNo,
        session: i64,
        ask: PageAsk,
    ) -> Result<i64, Failure> {
        let session = self.session(session).await?;
        let ask = Ask { request: Some(self.request), ..page_ask(ask) };
        self.cancellable(no, &session, session.count(&ask)).await
    }

    /// One statement.
    pub(super) async fn statement(
        &self,
        no: RequestNo,
        session: i64,
        sql: String,
    ) -> Result<StatementFacts, Failure> {
        let session = self.session(session).await?;
        let ask = inside::Ask { types: true, request: Some(self.request), ..inside::Ask::new(sql) };
        let outcome = self.cancellable(no, &session, session.run(&ask)).await?;
        self.remember(&ask.sql, session.operator().as_str());
        let numeric = |kind: &str| {
            [
                "smallint",
                "integer",
                "bigint",
                "numeric",
                "real",
                "double precision",
                "int2",
                "int4",
                "int8",
                "float4",
                "float8",
            ]
            .iter()
            .any(|name| kind.starts_with(name))
        };
        Ok(StatementFacts {
            columns: outcome
                .rows
                .columns
                .iter()
                .map(|column| {
                    let kind = column.type_name.clone().unwrap_or_default();
                    ColumnFacts {
                        name: column.name.clone(),
                        numeric: numeric(&kind),
                        kind: Untrusted::new(kind),
                        sortable: false,
                    }
                })
                .collect(),
            truncated: outcome.rows.cut.is_some(),
            rows: outcome.rows.rows,
            rows_affected: outcome.rows_affected,
            took: outcome.took,
        })
    }

    /// Keeps the shape of what ran, unless the configuration says no.
    fn remember(&self, sql: &str, operator: &str) {
        if let Some(history) = self.kept_history(operator)
            && let Err(error) = history.keep(sql)
        {
            tracing::warn!(%error, "the history could not be kept");
        }
    }

    /// The shapes of what this operator ran here earlier.
    pub(super) async fn history(&self) -> Result<Vec<String>, Failure> {
        let console = self.console().await?;
        let history = self.kept_history(console.operator().as_str());
        let read = history.map_or_else(|| Ok(Vec::new()), |history| history.read());
        Ok(read.unwrap_or_else(|error| {
            tracing::warn!(%error, "the history could not be read");
            Vec::new()
        }))
    }

    fn kept_history(&self, operator: &str) -> Option<inside::History> {
        let paths = &self.shared.paths;
        let settings = Settings::load(&paths.config_file).ok()?;
        let place = self.target();
        let wanted = settings.console.keeps_history();
        wanted.then(|| inside::History::at(&paths.history_dir, place.raw(), operator))
    }

    /// Runs something in a session that `Cancel` can stop.
    async fn cancellable<T>(
        &self,
        no: RequestNo,
        session: &Impersonation,
        work: impl Future<Output = Result<T, ImpersonationError>>,
    ) -> Result<T, Failure> {
        self.shared.statements.lock().await.insert(no, session.canceller());
        let result = work.await;
        self.shared.statements.lock().await.remove(&no);
        self.noticed(session, result).await
    }

    /// Tells the end of the session before the answer that failed because of it.
    async fn noticed<T>(
        &self,
        session: &Impersonation,
        result: Result<T, ImpersonationError>,
    ) -> Result<T, Failure> {
        if let Err(error) = &result {
            self.notice(session.id(), error).await;
        }
        result.map_err(Into::into)
    }

    /// Stops what runs under a request number.
    pub(super) async fn cancel(&self, no: RequestNo) -> Result<(), Failure> {
        if let Some(progress) = self.shared.running.lock().await.get(&no) {
            progress.cancel();
        }
        let statement = self.shared.statements.lock().await.get(&no).cloned();
        if let Some(statement) = statement {
            statement.cancel().await.map_err(|error| {
                Failure::new(Kind::Server, "the statement could not be cancelled")
                    .caused_by(error.to_string())
            })?;
        }
        Ok(())
    }
}

/// The page as the impersonation takes it.
fn page_ask(ask: PageAsk) -> Ask {
    Ask {
        from: match ask.from {
            PageFrom::Start => From::Start,
            PageFrom::After(keys) => From::After(inside::KeySet(keys.0)),
            PageFrom::Before(keys) => From::Before(inside::KeySet(keys.0)),
        },
        order: ask.order,
        filter: ask.filter,
        at: ask.at,
        ..Ask::new(ask.relation, ask.limit)
    }
}
