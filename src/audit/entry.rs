//! What the ledger is told: entries of verbs, and calls that the database records by itself.

use tokio_postgres::types::{ToSql, Type};

use crate::identity::TenantId;
use crate::postgres::Sql;

/// A verb that writes. The database knows the same words and the level each needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// A tenant is made.
    TenantCreate,
    /// A tenant is written to an archive.
    Export,
    /// A tenant's rows are restored.
    Restore,
    /// Demo rows are filled in.
    DemoFill,
}

impl Verb {
    /// The word in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenantCreate => "tenant.create",
            Self::Export => "export",
            Self::Restore => "restore",
            Self::DemoFill => "demo.fill",
        }
    }
}

/// What is about to be done: written to the ledger before it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The verb.
    pub verb: Verb,
    /// The tenant, or none where it concerns the installation.
    pub tenant: Option<TenantId>,
    /// What it is done to, in a few words without personal data.
    pub object: String,
    /// Why, in the operator's words.
    pub reason: Option<String>,
}

/// A call of a function that writes its own record, in the same transaction as the change. These
/// are all of them; [`crate::console::Console::call`] takes nothing else.
pub struct Attested<'a> {
    pub(crate) sql: Sql,
    pub(crate) values: Vec<(&'a (dyn ToSql + Sync), Type)>,
}

impl std::fmt::Debug for Attested<'_> {
    /// Values can be verifiers or reasons: only the statement is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attested").field("sql", &self.sql.as_str()).finish_non_exhaustive()
    }
}

/// Builds one constructor for each function of the database that records itself.
macro_rules! attested {
    ($($(#[$doc:meta])* $name:ident($($value:ident: $kind:ident),*) = $sql:literal;)+) => {
        impl<'a> Attested<'a> {
            $($(#[$doc])*
            #[must_use]
            #[allow(
                clippy::too_many_arguments,
                reason = "one parameter for each parameter of the database's function"
            )]
            pub fn $name($($value: &'a (dyn ToSql + Sync)),*) -> Self {
                Self { sql: Sql::new($sql), values: vec![$(($value, Type::$kind)),*] }
            })+
        }
    };
}

attested! {
    /// `operator_add`: name, level, SCRAM verifier or null, shared, request; gives whether the login was made.
    operator_add(name: TEXT, level: TEXT, verifier: TEXT, shared: BOOL, request: UUID)
        = "select tenantdesk.operator_add($1, $2, $3, $4, $5)";
    /// `operator_level`: name, level, request; gives the sessions that it ended.
    operator_level(name: TEXT, level: TEXT, request: UUID) = "select tenantdesk.operator_level($1, $2, $3)";
    /// `operator_password`: name, SCRAM verifier, request.
    operator_password(name: TEXT, verifier: TEXT, request: UUID) = "select tenantdesk.operator_password($1, $2, $3)";
    /// `operator_lock`: name; the first step of a removal.
    operator_lock(name: TEXT) = "select tenantdesk.operator_lock($1)";
    /// `operator_remove`: name, request.
    operator_remove(name: TEXT, request: UUID) = "select tenantdesk.operator_remove($1, $2)";
    /// `operator_drop`: name; after `operator_remove` is committed; gives whether the login is gone.
    operator_drop(name: TEXT) = "select tenantdesk.operator_drop($1)";
    /// `terminate_operator`: name; after `operator_lock` is committed.
    terminate_operator(name: TEXT) = "select tenantdesk.terminate_operator($1)";
    /// `draw_tenant_id`: an id for a tenant; a number that is not used is a gap, and no record.
    draw_tenant_id() = "select tenantdesk.draw_tenant_id()";
    /// `draw_person_id`: the same for his first admin.
    draw_person_id() = "select tenantdesk.draw_person_id()";
    /// `end_session`: id, why.
    end_session(id: INT8, why: TEXT) = "select tenantdesk.end_session($1, $2)";
    /// `terminate`: id; after the end is committed.
    terminate(id: INT8) = "select tenantdesk.terminate($1)";
    /// `sweep`: ends what has expired.
    sweep() = "select id, operator from tenantdesk.sweep()";
    /// `unblock`: frees a chain that an idle transaction holds.
    unblock() = "select tenantdesk.unblock()";
    /// `open_session`: digest, tenant, purpose, mode, reason, ticket, member, seconds, request.
    open_session(digest: BYTEA, tenant: TEXT, purpose: TEXT, mode: TEXT, reason: TEXT, ticket: TEXT, member: TEXT, seconds: FLOAT8, request: UUID)
        = "select id, opened_at, expires_at, member_email, member_role from tenantdesk.open_session($1, $2, $3, $4, $5, $6, $7, pg_catalog.make_interval(secs => $8), $9)";
    /// `limit_override`: tenant, metric, hard, until, reason, request.
    limit_override(tenant: TEXT, metric: TEXT, hard: INT8, until: TIMESTAMPTZ, reason: TEXT, request: UUID)
        = "select tenantdesk.limit_override($1, $2, $3, $4, $5, $6)";
    /// `plan_set`: plan, title, metric, soft, hard, request.
    plan_set(plan: TEXT, title: TEXT, metric: TEXT, soft: INT8, hard: INT8, request: UUID)
        = "select tenantdesk.plan_set($1, $2, $3, $4, $5, $6)";
    /// `plans_load`: document, request; gives how many plans were added.
    plans_load(document: JSONB, request: UUID) = "select tenantdesk.plans_load($1, $2)";
    /// `recount_usage`: request; gives how many counters were wrong.
    recount_usage(request: UUID) = "select tenantdesk.recount_usage($1)";
    /// `operation_begin`: id, verb, tenant, object, reason, request.
    operation_begin(id: UUID, verb: TEXT, tenant: TEXT, object: TEXT, reason: TEXT, request: UUID)
        = "select tenantdesk.operation_begin($1, $2, $3, $4, $5, $6)";
    /// `operation_end`: id, outcome, detail.
    operation_end(id: UUID, outcome: TEXT, detail: TEXT) = "select tenantdesk.operation_end($1, $2, $3)";
    /// `statement_intent`: shape, literals, request; needs the session's token.
    statement_intent(shape: TEXT, literals: TEXT_ARRAY, request: UUID)
        = "select tenantdesk.statement_intent($1, $2, $3)";
    /// `statement_outcome`: intent, outcome, rows, bytes, millis, SQLSTATE; needs the token.
    statement_outcome(intent: INT8, outcome: TEXT, rows: INT8, bytes: INT8, millis: INT8, state: TEXT)
        = "select tenantdesk.statement_outcome($1, $2, $3, $4, $5, $6)";
    /// `result_intent`: shape, format, rows, request; needs the token.
    result_intent(shape: TEXT, format: TEXT, rows: INT8, request: UUID)
        = "select tenantdesk.result_intent($1, $2, $3, $4)";
    /// `result_outcome`: intent, outcome, rows, bytes; needs the token.
    result_outcome(intent: INT8, outcome: TEXT, rows: INT8, bytes: INT8)
        = "select tenantdesk.result_outcome($1, $2, $3, $4)";
    /// `security_event`: kind, detail; needs the token.
    security_event(kind: TEXT, detail: TEXT) = "select tenantdesk.security_event($1, $2)";
}
