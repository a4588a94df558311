//! Fixed answers for the console: a few tenants in several scripts, one of them hostile.

use chrono::TimeDelta;
use tenantdesk::failure::{Failure, Kind};
use tenantdesk::identity::{Level, Mode, OperatorName, TenantId};
use tenantdesk::text::Untrusted;
use tenantdesk::tui::facts::*;
use tenantdesk::tui::{Answer, Effect};

use super::noon;

/// What the answers say; a test changes a field before it opens the console.
#[derive(Clone)]
pub struct Fixtures {
    pub tenants: Vec<TenantFacts>,
    pub level: Level,
    pub rows: usize,
    /// Effects that fail, by the name of their variant.
    pub failing: Vec<&'static str>,
}

impl Default for Fixtures {
    fn default() -> Self {
        let tenant = |id: u32, slug: &str, name: &str, plan: &str, status: &str| TenantFacts {
            id: TenantId::from_database(format!("00000000-0000-4000-8000-{id:012}")),
            slug: slug.into(),
            name: name.into(),
            plan: plan.into(),
            status: status.into(),
            state: match status {
                "active" => TenantState::Active,
                "suspended" => TenantState::Suspended,
                _ => TenantState::Other,
            },
            domain: format!("{slug}.example.com").into(),
            created_at: Some(noon() - TimeDelta::days(i64::from(id) * 10)),
        };
        let tenants = vec![
            tenant(1, "acme", "Acme Corporation", "enterprise", "active"),
            tenant(2, "beijing", "北京科技有限公司", "growth", "active"),
            tenant(3, "cafe", "Cafe\u{301} Noir", "starter", "active"),
            tenant(4, "evil", "\u{1b}[31mEvil\u{202e}dlroW", "starter", "trial"),
            tenant(5, "haifa", "חברת חיפה", "growth", "active"),
            tenant(6, "mumbai", "मुंबई टेक", "growth", "suspended"),
        ];
        Self { tenants, level: Level::Admin, rows: 25, failing: Vec::new() }
    }
}

fn text(text: &str) -> Untrusted {
    Untrusted::from(text)
}

pub fn member(id: &str, email: &str, name: &str, role: &str, active: bool) -> MemberFacts {
    MemberFacts {
        id: id.to_owned(),
        email: text(email),
        name: text(name),
        role: text(role),
        state: text(if active { "active" } else { "invited" }),
        active,
    }
}

/// The session that opening answers.
pub fn session(ask: &OpenAsk) -> SessionFacts {
    SessionFacts {
        id: 7,
        operator: OperatorName::from_database("maria"),
        tenant: ask.tenant.clone(),
        slug: text("acme"),
        member: Some(member("u1", "ann@acme.example", "Ann Lee", "owner", true)),
        mode: ask.mode,
        reason: text(ask.reason.as_str()),
        ticket: ask.ticket.as_deref().map(text),
        opened_at: noon(),
        expires_at: noon() + ask.duration,
    }
}

impl Fixtures {
    /// The answer to an effect; `None` for those the loop carries out.
    pub fn answer(&self, effect: &Effect) -> Option<Result<Answer, Failure>> {
        let name = format!("{effect:?}");
        let name = name.split([' ', '(', '{']).next().unwrap_or("");
        if self.failing.contains(&name) {
            let failure = Failure::new(Kind::Server, format!("{name} failed"));
            return Some(Err(failure.hint("try again")));
        }
        let answer = match effect {
            Effect::Copy(_) | Effect::Redraw | Effect::Suspend | Effect::Quit => return None,
            Effect::Greet => Answer::Greeting(Greeting {
                operator: OperatorName::from_database("maria"),
                level: self.level,
                shared: false,
                profile: text("embedded"),
                warnings: Vec::new(),
            }),
            Effect::ListTenants => Answer::Tenants(self.tenants.iter().cloned().collect()),
            Effect::FindTenants(words) => Answer::Found(
                self.tenants.iter().filter(|t| words.contains(t.slug.raw())).cloned().collect(),
            ),
            Effect::ShowTenant(id) => {
                Answer::Tenant(self.tenants.iter().find(|tenant| tenant.id == *id)?.clone())
            }
            Effect::ListMembers(_) => Answer::Members(vec![
                member("u1", "ann@acme.example", "Ann Lee", "owner", true),
                member("u2", "bo@acme.example", "Bo \u{202e}evil", "viewer", true),
                member("u3", "new@acme.example", "", "member", false),
            ]),
            Effect::ShowUsage(id) => Answer::TenantUsage(usage(id, "acme", 48)),
            Effect::ListUsage => Answer::Usage(self.usage()),
            Effect::ListSessions(_) => Answer::Sessions(sessions()),
            Effect::ListPlans => Answer::Plans(vec!["starter".into(), "growth".into()]),
            Effect::Provision(ask) => Answer::Provisioned(WelcomeFacts {
                tenant: TenantId::from_database("new-id"),
                slug: text(ask.slug.as_str()),
                admin_email: text(ask.admin_email.as_str()),
                temporary_password: Some("correct-horse-battery".to_owned().into()),
                welcome: text("Welcome!\nSign in at https://example.com and change the password."),
            }),
            Effect::OpenSession(ask) => Answer::SessionOpened(session(ask)),
            Effect::EndSession { .. } => Answer::SessionEnded,
            Effect::EndOther(_) => Answer::OtherEnded,
            Effect::ListRelations { .. } => Answer::Relations(relations()),
            Effect::FetchPage { ask, .. } => Answer::Page(self.page(ask)),
            Effect::ShowRecord { key, .. } => Answer::Record(record(key)),
            Effect::CountRows { .. } => Answer::Counted(12_346),
            Effect::RunSql { .. } => Answer::Statement(StatementFacts {
                columns: columns(),
                rows: (1..4).map(row).collect(),
                rows_affected: None,
                truncated: false,
                took: TimeDelta::milliseconds(3),
            }),
            Effect::Cancel(_) => Answer::Done,
            _ => return Some(Ok(archive_answer(effect))),
        };
        Some(Ok(answer))
    }

    fn usage(&self) -> Vec<UsageFacts> {
        let used = [48, 12, 50, 3, 0, 41];
        let rows = self.tenants.iter().zip(used);
        rows.map(|(tenant, used)| usage(&tenant.id, tenant.slug.raw(), used)).collect()
    }

    fn page(&self, ask: &PageAsk) -> PageFacts {
        let key = |text: &str| Some(KeySet(vec![Some(text.to_owned())]));
        let second = matches!(ask.from, PageFrom::After(_));
        let first = if second { self.rows + 1 } else { 1 };
        PageFacts {
            columns: columns(),
            rows: (first..first + self.rows).map(row).collect(),
            keys: (first..first + self.rows).map(|id| KeySet(vec![Some(id.to_string())])).collect(),
            // The title of the second row.
            shortened: vec![(1, 1)],
            note: None,
            cut: false,
            before: key("1").filter(|_| second),
            after: key("25").filter(|_| !second),
        }
    }
}

fn usage(tenant: &TenantId, slug: &str, used: i64) -> UsageFacts {
    let metric = |metric: &str, used, hard, unit: &str| MetricFacts {
        metric: text(metric),
        used,
        soft: None,
        hard,
        unit: text(unit),
        source: text("plan"),
        state: match hard {
            Some(hard) if used >= hard => LimitState::Hard,
            Some(hard) if used * 10 >= hard * 8 => LimitState::Soft,
            _ => LimitState::Ok,
        },
    };
    UsageFacts {
        tenant: tenant.clone(),
        slug: text(slug),
        plan: text("growth"),
        metrics: vec![
            metric("users", used, Some(50), "count"),
            metric("projects", used * 3, Some(500), "count"),
            metric("storage", used << 20, Some(1 << 30), "bytes"),
            metric("ai_runs", used * 7, None, "count"),
        ],
    }
}

fn sessions() -> Vec<SessionLine> {
    let line = |id, operator: &str, ended: bool| SessionLine {
        id,
        operator: text(operator),
        member: Some(text("ann@acme.example")),
        purpose: text("impersonate"),
        mode: text("read"),
        reason: text("the import shows no rows"),
        opened_at: noon() - TimeDelta::minutes(id),
        expires_at: noon() + TimeDelta::minutes(5),
        ended_at: ended.then(noon),
        end_reason: ended.then(|| text("operator")),
    };
    vec![line(6, "jonas", false), line(90, "maria", true)]
}

fn relations() -> Vec<RelationFacts> {
    let relation = |name: &str, rows| RelationFacts {
        name: name.to_owned(),
        class: text("keyed"),
        rows_estimate: rows,
    };
    vec![
        relation("app.projects", Some(12_345)),
        relation("app.tasks", Some(250_000)),
        relation("app.\"Odd name\"", None),
    ]
}

fn columns() -> Vec<ColumnFacts> {
    let column = |name: &str, kind: &str, numeric| ColumnFacts {
        name: text(name),
        kind: text(kind),
        numeric,
        sortable: kind != "jsonb",
    };
    vec![
        column("id", "bigint", true),
        column("title", "text", false),
        column("note", "text", false),
        column("payload", "jsonb", false),
        column("created_at", "timestamptz", false),
    ]
}

fn row(id: usize) -> Vec<Option<Untrusted>> {
    let title = match id % 4 {
        0 => "計画 第四".to_owned(),
        1 => format!("Project {id}"),
        2 => "\u{1b}]0;owned\u{7}".to_owned(),
        _ => "line one\nline two".to_owned(),
    };
    vec![
        Some(text(&id.to_string())),
        Some(text(&title)),
        id.is_multiple_of(2).then(|| text("")),
        Some(text("{\"a\": 1}")),
        Some(text("2026-11-01 08:00:00+00")),
    ]
}

/// The whole row; one value is longer than even a record shows.
fn record(key: &KeySet) -> RecordFacts {
    let id = key.0[0].as_deref().unwrap().parse().unwrap();
    let mut values = row(id);
    values[1] = values[1].as_ref().map(|title| text(&format!("{} and the rest", title.raw())));
    let field = |(index, (column, value)): (usize, (ColumnFacts, Option<Untrusted>))| RecordField {
        name: column.name,
        value,
        shortened: index == 3,
    };
    RecordFacts { fields: columns().into_iter().zip(values).enumerate().map(field).collect() }
}

fn archive_answer(effect: &Effect) -> Answer {
    let path = || "/home/maria/archives/acme-20261120T090000Z.tenant".into();
    match effect {
        Effect::ListArchives => Answer::Archives(vec![
            ArchiveLine {
                path: path(),
                slug: text("acme"),
                created_at: Some(noon() - TimeDelta::hours(27)),
                bytes: 12_345_678,
                fault: None,
            },
            ArchiveLine {
                path: "/home/maria/archives/old.tenant".into(),
                slug: text(""),
                created_at: None,
                bytes: 512,
                fault: Some(text("no archive: the manifest is missing")),
            },
        ]),
        Effect::InspectArchive(_) => Answer::Archive(ArchiveFacts {
            path: path(),
            facts: vec![
                ("tenant".to_owned(), text("acme, Acme Corporation")),
                ("written by".to_owned(), text("tenantdesk 0.1.0, format 1")),
            ],
            relations: [("app.tenants", 1, 150), ("app.projects", 20, 2048)]
                .map(|(name, rows, bytes)| ArchiveRelation {
                    name: text(name),
                    content: Some((rows, bytes)),
                })
                .to_vec(),
            omitted: vec![(text("app.countries"), text("global"))],
        }),
        Effect::VerifyArchive(_) => {
            Answer::Verified(VerifyFacts { path: path(), faults: Vec::new() })
        }
        Effect::Export(_) => Answer::Exported(ExportFacts {
            path: path(),
            slug: text("acme"),
            rows: 250_113,
            bytes: 12_345_678,
            digest: "sha256:00ff".to_owned(),
        }),
        Effect::PlanRestore { mode, .. } => restore_plan(*mode),
        Effect::Restore { .. } => Answer::Restored(RestoreFacts {
            applied: 1,
            removed: 0,
            verified: true,
            receipt: Some("/home/maria/receipts/3.json".into()),
            took: TimeDelta::seconds(2),
        }),
        _ => ledger_answer(effect),
    }
}

fn restore_plan(mode: RestoreMode) -> Answer {
    Answer::RestorePlan(RestorePlanFacts {
        number: 3,
        archive: "/home/maria/archives/acme-20261120T090000Z.tenant".into(),
        tenant: TenantId::from_database("00000000-0000-4000-8000-000000000001"),
        confirm: "acme".to_owned(),
        mode,
        relations: [("app.projects", 20, 19), ("app.tasks", 250_093, 250_093)]
            .map(|(name, in_archive, in_target)| RestoreRelation {
                name: text(name),
                in_archive,
                in_target,
                missing: in_archive - in_target,
                changed: 0,
                extra: 0,
                conflicts: 0,
            })
            .to_vec(),
        warnings: vec![text("2 users of the archive are gone and come back")],
        refusal: None,
    })
}

fn events(first: bool) -> AuditPage {
    let event = |seq: i64, action: &str, tenant: Option<&str>| EventFacts {
        seq,
        at: noon() - TimeDelta::minutes(100 - seq),
        tenant: tenant.map(text),
        actor: text("maria"),
        action: text(action),
        object: text("session 7"),
        outcome: text("done"),
        reason: text("ticket 4711: rows missing"),
        recorded: Vec::new(),
        intent: None,
    };
    let statement = |seq: i64, outcome: &str, recorded: &[(&str, &str)]| EventFacts {
        object: text("read"),
        outcome: text(outcome),
        reason: text(""),
        recorded: recorded.iter().map(|(l, value)| ((*l).to_owned(), text(value))).collect(),
        intent: (seq == 44).then_some(43),
        ..event(seq, "statement", Some("acme"))
    };
    let failed = [
        ("outcome of", "event 43"),
        ("rows", "0"),
        ("took", "3 ms"),
        ("SQLSTATE", "42P01"),
        ("session", "7"),
        ("request", "019a9c1e-0000-7000-8000-00000000002a"),
        ("told by", "the client, as it saw it"),
    ];
    AuditPage {
        events: vec![
            statement(44, "failed", &failed),
            statement(43, "intent", &[("statement", "select * from \u{1b}nothing")]),
            event(42, "impersonate", Some("acme")),
            event(41, "tenant create", Some("\u{202e}evil")),
            event(7, "operator add", None),
        ],
        older: first.then(|| "7".to_owned()),
    }
}

fn ledger_answer(effect: &Effect) -> Answer {
    match effect {
        Effect::ListAudit { older_than, .. } => Answer::Audit(events(older_than.is_none())),
        Effect::VerifyAudit => Answer::AuditVerified(vec![
            ChainFacts { tenant: None, size: 7, fault: None },
            ChainFacts {
                tenant: Some(text("acme")),
                size: 42,
                fault: Some(text("event 17: the hash does not match")),
            },
        ]),
        Effect::ShowServer => Answer::Server(ServerFacts {
            facts: [
                ("server", "embedded"),
                ("state", "running"),
                ("version", "18.1"),
                ("fsync", "on"),
                ("lifetime", "stops with its last user"),
                ("port", "5432, on the socket only"),
                ("socket_dir", "/home/maria/.local/share/tenantdesk/run"),
                ("data_dir", "/home/maria/.local/share/tenantdesk/data"),
                ("home", "/home/maria/.local/share/tenantdesk"),
                ("database", "app"),
                ("operator", "maria"),
            ]
            .map(|(label, value)| (label.to_owned(), text(value)))
            .to_vec(),
            faults: Vec::new(),
        }),
        other => panic!("no fixture answers {other:?}"),
    }
}

/// The mode of a session, for tests that open one directly.
pub fn open(mode: Mode) -> SessionFacts {
    session(&OpenAsk {
        tenant: TenantId::from_database("00000000-0000-4000-8000-000000000001"),
        member: Some("u1".to_owned()),
        reason: "ticket 4711: rows missing".parse().unwrap(),
        ticket: Some("4711".to_owned()),
        mode,
        duration: TimeDelta::minutes(15),
    })
}
