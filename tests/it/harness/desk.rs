//! A database that tenantdesk looks after: the starter schema or the grown product, with the
//! guard installed, made once as a template and copied for each test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use tenantdesk::catalog::{self, load};
use tenantdesk::isolation::discover::{Decisions, discover};
use tenantdesk::isolation::guard::{Consent, install};
use tenantdesk::isolation::map::{Class, Relation, RelationMap};
use tenantdesk::isolation::template::{Proposed, propose};
use tenantdesk::postgres::{Endpoint, Isolation, Preamble, Transaction, connect};

use super::cluster::{Cluster, PsqlOutput, SUPERUSER, cluster};

/// Tenant A of the product.
pub const ACME: &str = "aaaaaaaa-0000-0000-0000-000000000001";
/// Tenant B of the product.
pub const BOLT: &str = "bbbbbbbb-0000-0000-0000-000000000002";

/// Roles of the host, made once per server.
static HOST: LazyLock<()> = LazyLock::new(|| host(cluster()));
/// Roles belong to the whole server, so templates are made one after another.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
static STARTER: LazyLock<()> =
    LazyLock::new(|| make_template(cluster(), "starter_template", &STARTER_SCHEMA));
static PRODUCT: LazyLock<()> =
    LazyLock::new(|| make_template(cluster(), "product_template", &PRODUCT_SCHEMA));

/// A schema to make a template of.
struct Schema {
    owner_sql: &'static [&'static str],
    superuser_sql: &'static [&'static str],
    map: &'static str,
    limits: bool,
}

const STARTER_SCHEMA: Schema = Schema {
    owner_sql: &[
        include_str!("../../../assets/starter/1_tables.sql"),
        include_str!("../../../assets/starter/2_policies.sql"),
        include_str!("../../../assets/starter/3_functions.sql"),
        include_str!("../../../assets/starter/4_grants.sql"),
        include_str!("../../../assets/starter/5_countries.sql"),
    ],
    superuser_sql: &[],
    map: include_str!("../../../assets/starter/map.toml"),
    limits: true,
};

const PRODUCT_SCHEMA: Schema = Schema {
    owner_sql: &[include_str!("../../fixtures/schema/product.sql")],
    superuser_sql: &[include_str!("../../fixtures/schema/product_data.sql")],
    map: include_str!("../../fixtures/schema/product_map.toml"),
    limits: false,
};

/// A copy of a template, with operators of its own.
#[derive(Debug)]
pub struct Desk {
    /// The server.
    pub cluster: &'static Cluster,
    /// The database.
    pub database: String,
}

/// The roles that a host gives: an owner that is no superuser, and the application.
pub fn host(cluster: &Cluster) {
    cluster
        .psql("postgres", SUPERUSER, "create role app_owner login createrole createdb; create role app_user login; create role app_ro nologin;")
        .rows();
}

/// Creates the database, its schema and the guard.
fn make_template(cluster: &Cluster, name: &str, schema: &Schema) {
    LazyLock::force(&HOST);
    let _turn = ONE_AT_A_TIME.lock().expect("no other template failed");
    fill(cluster, name, schema);
}

/// A database with the starter schema and the guard on a server of the caller's own.
pub fn starter_on(cluster: &Cluster, name: &str) {
    host(cluster);
    fill(cluster, name, &STARTER_SCHEMA);
}

fn fill(cluster: &Cluster, name: &str, schema: &Schema) {
    cluster.psql("postgres", SUPERUSER, &format!("create database {name} owner app_owner")).rows();
    for sql in schema.owner_sql {
        cluster.psql(name, "app_owner", sql).rows();
    }
    for sql in schema.superuser_sql {
        cluster.psql(name, SUPERUSER, sql).rows();
    }
    let map = RelationMap::from_toml(schema.map).expect("a map");
    let consent = Consent { close_doors: true, enforce_limits: schema.limits, pin_public: false };
    install_guard(&cluster.endpoint(name, "app_owner"), &map, consent);
}

/// What discovery makes of a database whose application is `app_user`.
fn discovered(endpoint: &Endpoint) -> RelationMap {
    let endpoint = endpoint.clone();
    let found = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let link = connect(&endpoint, "test discovery").await.expect("connect");
            let preamble = Preamble { isolation: Isolation::Snapshot, role: None, settings: &[] };
            let transaction = Transaction::begin(&link, preamble).await.expect("begin");
            let catalog = catalog::load(&transaction, Some("app_user")).await.expect("a catalog");
            let mut decisions = Decisions::default();
            decisions.hints.application_role = Some("app_user".to_owned());
            let undecided = discover(&catalog, &decisions).expect("a proposal").undecided;
            decisions.relations = undecided
                .into_iter()
                .map(|one| Relation {
                    reason: Some("nobody decided".to_owned()),
                    ..Relation::new(one.relation, Class::Excluded)
                })
                .collect();
            let proposal = discover(&catalog, &decisions).expect("a proposal");
            proposal.map.unwrap_or_else(|| panic!("{:?}", proposal.questions))
        })
    });
    found.join().expect("a map")
}

/// Runs the installation, on a thread of its own, because callers may be inside a runtime.
pub fn install_guard(endpoint: &Endpoint, map: &RelationMap, consent: Consent) {
    let (endpoint, map) = (endpoint.clone(), map.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let link = connect(&endpoint, "test setup").await.expect("connect");
            if let Err(error) = install(&link, &map, consent).await {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                panic!("{error}: {cause:?}");
            }
            // Most attacks are tried without the event trigger that a host's superuser adds, which
            // would stop many of them before the guard is asked; attack_host.rs tries it.
            let superuser = connect(&endpoint.for_user(SUPERUSER), "test setup").await.expect("connect");
            let except = "insert into tenantdesk.exceptions (object, reason) values ('DROP OWNED', 'tried without it') on conflict do nothing";
            superuser.client().batch_execute(except).await.expect("an exception");
        });
    })
    .join()
    .expect("the installation");
}

/// Proposes the template of provisioning, as setup does; on a thread of its own.
pub fn proposed(endpoint: &Endpoint, map: &RelationMap) -> Proposed {
    let (endpoint, map) = (endpoint.clone(), map.clone());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let link = connect(&endpoint, "test setup").await.expect("connect");
            let settings = [("search_path", "pg_catalog, pg_temp")];
            let preamble =
                Preamble { isolation: Isolation::Snapshot, role: None, settings: &settings };
            let transaction = Transaction::begin(&link, preamble).await.expect("a transaction");
            let catalog = load(&transaction, Some(&map.application_role)).await.expect("a catalog");
            propose(&map, &catalog)
        })
    })
    .join()
    .expect("a proposal")
}

impl Desk {
    /// A schema that nobody here designed, with a map written by hand; what is proposed for
    /// provisioning is installed with it.
    pub fn foreign(schema: &str, map: &str) -> (Self, Proposed) {
        LazyLock::force(&HOST);
        let _turn = ONE_AT_A_TIME.lock().expect("no other template failed");
        let cluster = cluster();
        let desk = Self { cluster, database: cluster.create_database("foreign") };
        desk.rows(SUPERUSER, &format!("alter database {} owner to app_owner", desk.database));
        desk.rows("app_owner", schema);
        let mut map = RelationMap::from_toml(map).expect("a map");
        let owner = desk.endpoint("app_owner");
        let proposed = proposed(&owner, &map);
        map.provision.clone_from(&proposed.provision);
        let consent = Consent { close_doors: true, enforce_limits: false, pin_public: false };
        install_guard(&owner, &map, consent);
        (desk, proposed)
    }

    /// The starter schema, empty.
    pub fn starter() -> Self {
        LazyLock::force(&STARTER);
        Self::copy("starter_template")
    }

    /// The grown product with its faults and rows.
    pub fn product() -> Self {
        LazyLock::force(&PRODUCT);
        Self::copy("product_template")
    }

    /// A schema of a test's own: extensions and the like as the superuser, tables as their owner, rows
    /// as the superuser, and the map that guards it.
    pub fn custom(extensions: &str, tables: &str, rows: &str, map: &str) -> Self {
        let desk = Self::unguarded(extensions, tables);
        desk.rows(SUPERUSER, rows);
        let map = RelationMap::from_toml(map).expect("a map");
        desk.guarded(&map)
    }

    /// A schema of tests/fixtures/schemas with the map that discovery finds; what it leaves to a
    /// person is excluded.
    pub fn discovered(extensions: &str, tables: &str, rows: &str) -> Self {
        let desk = Self::unguarded(extensions, tables);
        desk.rows("app_owner", rows);
        let map = discovered(&desk.endpoint("app_owner"));
        desk.guarded(&map)
    }

    fn unguarded(extensions: &str, tables: &str) -> Self {
        LazyLock::force(&HOST);
        let cluster = cluster();
        let database = cluster.create_database("custom");
        cluster
            .psql("postgres", SUPERUSER, &format!("alter database {database} owner to app_owner"))
            .rows();
        cluster.psql(&database, SUPERUSER, extensions).rows();
        cluster.psql(&database, "app_owner", tables).rows();
        Self { cluster, database }
    }

    fn guarded(self, map: &RelationMap) -> Self {
        let consent = Consent { close_doors: true, enforce_limits: false, pin_public: false };
        let _turn = ONE_AT_A_TIME.lock().expect("no other template failed");
        install_guard(&self.endpoint("app_owner"), map, consent);
        self
    }

    fn copy(template: &str) -> Self {
        let cluster = cluster();
        let database = cluster.create_database_from(template, "desk");
        cluster
            .psql("postgres", SUPERUSER, &format!("alter database {database} owner to app_owner; revoke temporary on database {database} from public; grant temporary on database {database} to app_user, tenantdesk_archivist"))
            .rows();
        Self { cluster, database }
    }

    /// The same database once more.
    pub fn again(&self) -> Self {
        Self { cluster: self.cluster, database: self.database.clone() }
    }

    /// Adds an operator with a name of its own, as the manager does.
    pub fn operator(&self, level: &str) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(1);
        let name = format!("op_{level}_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        self.psql(
            "app_owner",
            &format!("select tenantdesk.operator_add('{name}', '{level}', null, false, null)"),
        )
        .rows();
        name
    }

    /// Runs statements with the real psql.
    pub fn psql(&self, user: &str, sql: &str) -> PsqlOutput {
        self.cluster.psql(&self.database, user, sql)
    }

    /// The same as a function that another thread can take along.
    pub fn psql_later(&self) -> impl Fn(&str, &str) -> PsqlOutput + Send + use<> {
        let (cluster, database) = (self.cluster, self.database.clone());
        move |user, sql| cluster.psql(&database, user, sql)
    }

    /// Runs statements and gives the rows; fails the test where psql failed.
    #[track_caller]
    pub fn rows(&self, user: &str, sql: &str) -> String {
        self.psql(user, sql).rows().to_owned()
    }

    /// The address for a login.
    pub fn endpoint(&self, user: &str) -> Endpoint {
        self.cluster.endpoint(&self.database, user)
    }
}
