//! `setup` on schemas that nobody here designed: the fixtures of tests/fixtures/schemas, each on a
//! database of its own, through the shipped binary as a user types it.

use std::sync::LazyLock;

use serde_json::Value;

use crate::harness::cluster::{Cluster, SUPERUSER};
use crate::harness::home::Home;

/// Doors, DROP OWNED, and tables that are open to every role.
mod doors;
/// Each fixture from setup to removal, with all that operators do between.
mod journeys;
/// Migrations of the owner around a suspended guard; drift.
mod moving;
/// Two databases of one server; several setups at once.
mod neighbours;
/// What was planted before setup ran.
mod planted;
/// A new tenant on each fixture.
mod provisioning;
/// What setup asks for, refuses and says.
mod refusals;

/// Roles are named by setup, so these tests have a server apart from the others.
static SERVER: LazyLock<Cluster> = LazyLock::new(with_hosts_roles);

/// A server with the roles that a host gives.
pub fn with_hosts_roles() -> Cluster {
    let cluster = Cluster::fresh();
    cluster
        .psql(
            "postgres",
            SUPERUSER,
            "create role app_owner login createrole createdb; create role app_user login; create role app_group nologin; grant app_group to app_user",
        )
        .rows();
    cluster
}

/// A fixture: its name, its extensions, its schema, its rows.
#[derive(Debug, Clone, Copy)]
pub struct Fixture {
    pub name: &'static str,
    pub extensions: &'static str,
    pub schema: &'static str,
    pub rows: &'static str,
}

macro_rules! fixture {
    ($name:literal, $extensions:expr) => {
        Fixture {
            name: $name,
            extensions: $extensions,
            schema: include_str!(concat!("../../fixtures/schemas/", $name, ".sql")),
            rows: include_str!(concat!("../../fixtures/schemas/", $name, "_data.sql")),
        }
    };
}

pub const MIXED_CASE: Fixture = fixture!("mixed_case", "");
pub const PARTITIONS: Fixture = fixture!("partitions", "");
pub const CYCLES: Fixture = fixture!("cycles", "");
pub const NO_FOREIGN_KEYS: Fixture = fixture!("no_foreign_keys", "");
pub const HIERARCHY: Fixture =
    fixture!("hierarchy", include_str!("../../fixtures/schemas/hierarchy.extensions.sql"));
pub const ROOTLESS: Fixture = fixture!("rootless", "");
pub const POSTGREST: Fixture = fixture!("postgrest", "");
pub const AWKWARD: Fixture =
    fixture!("awkward", include_str!("../../fixtures/schemas/awkward.extensions.sql"));

/// A database that was never set up, and a home to run the program in.
#[derive(Debug)]
pub struct Target {
    pub cluster: &'static Cluster,
    pub database: String,
    pub home: Home,
}

impl Target {
    /// A fixture with its rows.
    pub fn of(fixture: Fixture) -> Self {
        Self::on(&SERVER, fixture)
    }

    /// A fixture with its rows, on a server.
    pub fn on(cluster: &'static Cluster, fixture: Fixture) -> Self {
        let database = cluster.create_database(fixture.name);
        let target = Self { cluster, database, home: Home::new() };
        target.rows(SUPERUSER, &format!("alter database {} owner to app_owner", target.database));
        if !fixture.extensions.is_empty() {
            target.rows(SUPERUSER, fixture.extensions);
        }
        target.rows("app_owner", fixture.schema);
        target.rows("app_owner", fixture.rows);
        target
    }

    /// Rows, by the real psql.
    #[track_caller]
    pub fn rows(&self, login: &str, sql: &str) -> String {
        self.cluster.psql(&self.database, login, sql).rows().to_owned()
    }

    /// The address for a login.
    pub fn url(&self, login: &str) -> String {
        self.cluster.endpoint(&self.database, login).url()
    }

    /// The document of a verb, and its exit code; the error's document where it failed without one.
    #[track_caller]
    pub fn run(&self, login: &str, words: &[&str]) -> (i32, Value) {
        let url = self.url(login);
        let output = self.home.run(&[&["--url", &url, "--json"], words].concat());
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let text =
            if out.trim().is_empty() { err.lines().last().unwrap_or_default() } else { &out };
        let document = serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {out}{err}"));
        (output.status.code().unwrap(), document)
    }

    /// The document of a verb that must succeed.
    #[track_caller]
    pub fn answer(&self, login: &str, words: &[&str]) -> Value {
        let (code, document) = self.run(login, words);
        assert_eq!(code, 0, "{words:?}: {document:#}");
        document
    }

    /// The error of a verb that must fail.
    #[track_caller]
    pub fn refused(&self, login: &str, words: &[&str]) -> Value {
        let (code, document) = self.run(login, words);
        assert_ne!(code, 0, "{words:?}: {document:#}");
        document["error"].clone()
    }

    /// Decides whatever discovery leaves to a person: left out, with a reason.
    pub fn decide(&self) -> Vec<String> {
        let listed = self.answer("app_owner", &["tables", "list"]);
        let relations = listed["relations"].as_array().unwrap();
        let undecided = relations.iter().filter(|relation| relation["class"] == "undecided");
        let names: Vec<String> =
            undecided.map(|relation| relation["name"].as_str().unwrap().to_owned()).collect();
        for name in &names {
            let words = ["tables", "set", name, "excluded", "--reason", "a person has to say"];
            self.answer("app_owner", &words);
        }
        names
    }

    /// Sets up, with everything that a person would consent to and except.
    #[track_caller]
    pub fn set_up(&self) {
        self.decide();
        let (_, document) = self.run("app_owner", &["setup", "--yes", "--pin-public"]);
        for open in document["incomplete"].as_array().into_iter().flatten() {
            let object = open["object"].as_str().unwrap();
            let words = ["setup", "--except", object, "--reason", "the test lives with it"];
            self.answer("app_owner", &words);
        }
        assert_eq!(self.rows(SUPERUSER, "select object, fault from tenantdesk.faults()"), "");
    }

    /// An operator.
    pub fn operator(&self, name: &str, level: &str) -> String {
        let name = format!("{name}_{}", self.database);
        self.answer("app_owner", &["operator", "add", &name, "--level", level]);
        name
    }

    /// Everything that the catalogs say of what is not ours: relations, rights, policies, triggers,
    /// functions, roles. A list of rights that was never written is what it stands for.
    pub fn catalogs(&self) -> String {
        self.rows(SUPERUSER, include_str!("catalogs.sql")).replace(&self.database, "THIS")
    }
}
