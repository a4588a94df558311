//! How the attacks are told: an operator with a live session, by hand with the real psql.
//!
//! An attack is a piece of SQL under a role. The same attack runs twice: against the guard, and
//! against a copy of the database in which one control was taken away (`weaken`). Only the second
//! may succeed, else the first proves nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tenantdesk::isolation::guard::Consent;
use tenantdesk::isolation::map::RelationMap;

use crate::harness::cluster::{Cluster, PsqlOutput, SUPERUSER};
use crate::harness::desk::{ACME, Desk, host, install_guard};

pub const READER: &str = "tenantdesk_reader";
pub const INSERTER: &str = "tenantdesk_inserter";
pub const CHANGER: &str = "tenantdesk_changer";
pub const ARCHIVIST: &str = "tenantdesk_archivist";

/// An operator whose session lives, and who wants more than it gives.
pub struct Intruder {
    pub desk: Desk,
    pub login: String,
    pub token: String,
    pub tenant: String,
    pub session: String,
}

/// The call of `open_session` with the usual arguments, as an operator types it.
pub fn open_call(token: &str, tenant: &str, purpose: &str, mode: &str) -> String {
    format!(
        "tenantdesk.open_session(sha256(convert_to('{token}', 'UTF8')), '{tenant}', '{purpose}', '{mode}', 'ticket 4711 asks', null, \
         (select id from tenantdesk.members('{tenant}') limit 1), interval '10 min', null)"
    )
}

/// One transaction under the group role of operators.
pub fn as_operator(sql: &str) -> String {
    format!("begin; set local role tenantdesk_operator; {sql}; commit;")
}

/// The SQLSTATE of the first error that psql printed, or nothing.
pub fn sqlstate(output: &PsqlOutput) -> String {
    let line = output.stderr.lines().find_map(|line| line.split("ERROR:  ").nth(1));
    line.and_then(|rest| rest.split(':').next()).unwrap_or_default().to_owned()
}

impl Intruder {
    /// Support in a read session for A of the product.
    pub fn reading() -> Self {
        Self::enter(Desk::product(), "support", "impersonate", "read")
    }

    /// An admin in a write session for A of the product.
    pub fn writing() -> Self {
        Self::enter(Desk::product(), "admin", "impersonate", "write")
    }

    /// A new operator with a session for A.
    pub fn enter(desk: Desk, level: &str, purpose: &str, mode: &str) -> Self {
        let login = desk.operator(level);
        Self::with_login(desk, login, ACME, purpose, mode)
    }

    /// A session of an operator that exists.
    pub fn with_login(desk: Desk, login: String, tenant: &str, purpose: &str, mode: &str) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(1);
        let token = format!("token-{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        let call = open_call(&token, tenant, purpose, mode);
        let session = desk.rows(&login, &as_operator(&format!("select id from {call}")));
        Self { desk, login, token, tenant: tenant.to_owned(), session }
    }

    /// What stands before each attack: role, token and tenant setting of one transaction.
    pub fn preamble(&self, role: &str) -> String {
        format!(
            "begin isolation level read committed; set local role {role};\n\\o /dev/null\n\
             select set_config('tenantdesk.session', '{}', true), set_config('app.tenant_id', '{}', true);\n\\o\n",
            self.token, self.tenant
        )
    }

    /// Runs an attack in one transaction that presents the token.
    pub fn run(&self, role: &str, sql: &str) -> PsqlOutput {
        self.desk.psql(&self.login, &format!("{}{sql};\ncommit;", self.preamble(role)))
    }

    /// What an attack shows.
    #[track_caller]
    pub fn sees(&self, role: &str, sql: &str) -> String {
        self.run(role, sql).rows().to_owned()
    }

    /// The attack is refused with this SQLSTATE.
    #[track_caller]
    pub fn refused(&self, role: &str, sql: &str, state: &str) {
        let output = self.run(role, sql);
        assert_eq!(sqlstate(&output), state, "{sql}: {output:?}");
    }

    /// Several attacks, all refused for want of a right.
    #[track_caller]
    pub fn all_denied(&self, role: &str, attacks: &[&str]) {
        for sql in attacks {
            self.refused(role, sql, "42501");
        }
    }

    /// Takes a control away, as a superuser.
    #[track_caller]
    pub fn weaken(&self, sql: &str) {
        self.desk.rows(SUPERUSER, sql);
    }

    /// Takes the right away that an operator lacks on purpose: to make functions and tables of his own.
    pub fn give_temp(&self) {
        self.weaken(&format!(
            "grant temporary on database {} to {}, tenantdesk_reader, tenantdesk_changer",
            self.desk.database, self.login
        ));
    }

    /// Counts as the superuser, whom no policy binds.
    #[track_caller]
    pub fn truth(&self, sql: &str) -> String {
        self.desk.rows(SUPERUSER, sql)
    }

    /// A connection of this operator that stays open.
    pub fn line(&self) -> Line {
        Line::open(&self.desk, &self.login)
    }
}

/// The product on a server of its own: for what is held, or changed, in all databases of a server.
pub fn on_a_server_of_its_own() -> Desk {
    let cluster: &'static Cluster = Box::leak(Box::new(Cluster::fresh()));
    host(cluster);
    one_more_database_on(cluster)
}

/// The product in a database of its own on a server, with its guard.
pub fn one_more_database_on(cluster: &'static Cluster) -> Desk {
    let desk = Desk { cluster, database: cluster.create_database("alone") };
    desk.rows(SUPERUSER, &format!("alter database {} owner to app_owner", desk.database));
    desk.rows("app_owner", include_str!("../fixtures/schema/product.sql"));
    desk.rows(SUPERUSER, include_str!("../fixtures/schema/product_data.sql"));
    let map =
        RelationMap::from_toml(include_str!("../fixtures/schema/product_map.toml")).expect("a map");
    let consent = Consent { close_doors: true, enforce_limits: false, pin_public: false };
    install_guard(&desk.endpoint("app_owner"), &map, consent);
    desk
}

/// Rewrites one function of the guard without one of its conditions.
#[track_caller]
pub fn drop_condition(desk: &Desk, function: &str, condition: &str) {
    desk.rows(
        SUPERUSER,
        &format!(
            "do $do$ declare body text := pg_get_functiondef('tenantdesk.{function}'::regprocedure); begin \
             if position($c${condition}$c$ in body) = 0 then raise exception 'no such condition'; end if; \
             execute replace(body, $c${condition}$c$, 'true'); end $do$"
        ),
    );
}

/// A psql that stays connected: for cursors, held locks and ends from elsewhere.
pub struct Line {
    child: Child,
    input: ChildStdin,
    output: Receiver<String>,
}

impl Line {
    pub fn open(desk: &Desk, user: &str) -> Self {
        let mut command = desk.cluster.psql_command(&desk.database, user);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("start psql");
        let input = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, output) = channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, output }
    }

    /// Sends statements and gives what they print, with the SQLSTATE of the last one; `None` where
    /// the connection is gone.
    pub fn say(&mut self, sql: &str) -> Option<String> {
        let sent = self.input.write_all(format!("{sql}\n;\n\\echo = :SQLSTATE\n").as_bytes());
        sent.and_then(|()| self.input.flush()).ok()?;
        let mut said = String::new();
        loop {
            let line = self.output.recv_timeout(Duration::from_secs(30)).ok()?;
            if let Some(state) = line.strip_prefix("= ") {
                if state != "00000" && state != ":SQLSTATE" {
                    said.push_str(state);
                }
                return Some(said.trim_end().to_owned());
            }
            said.push_str(&line);
            said.push('\n');
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _ended = self.child.wait();
    }
}
