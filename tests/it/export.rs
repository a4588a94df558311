//! `export`: one tenant out, whole, stable, and nobody else.

use std::path::Path;

use tenantdesk::archive::export::{Destination, Export, Exported, export, prepare};
use tenantdesk::archive::{Existing, Limits, Pipeline, Trust, VerifiedArchive, WriteError, open};
use tenantdesk::console::Console;
use tenantdesk::failure::{Failure, Kind};
use tenantdesk::progress::Progress;
use tenantdesk::secret::signing_key::SigningKey;
use tenantdesk::tenant::directory;

use crate::archive_fixture::{Keys, manifest};
use crate::harness::desk::{ACME, BOLT, Desk};

/// A desk with an admin and a directory for archives and the key.
pub(crate) struct Yard {
    pub(crate) desk: Desk,
    pub(crate) console: Console,
    pub(crate) home: tempfile::TempDir,
}

impl Yard {
    pub(crate) async fn product() -> Self {
        let desk = tokio::task::spawn_blocking(Desk::product).await.unwrap();
        Self::with(desk).await
    }

    pub(crate) async fn with(desk: Desk) -> Self {
        let admin = desk.operator("admin");
        let console = Console::connect(desk.endpoint(&admin)).await.unwrap();
        Self { desk, console, home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn key_file(&self) -> std::path::PathBuf {
        self.home.path().join("keys/signing.key")
    }

    pub(crate) fn receipts_dir(&self) -> std::path::PathBuf {
        self.home.path().join("keys/receipts")
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust::own(SigningKey::open_or_create(&self.key_file()).unwrap().public())
    }

    pub(crate) async fn export(&self, tenant: &str, name: &str) -> Result<Exported, Failure> {
        let ask = Export {
            tenant: directory::resolve(&self.console, tenant).await.unwrap(),
            destination: Destination::File(self.home.path().join(name)),
            existing: Existing::Keep,
            signing_key: self.key_file(),
            receipts_dir: self.receipts_dir(),
        };
        let plan = prepare(&self.console, ask).await?;
        export(&self.console, plan, &Progress::silent()).await
    }

    pub(crate) fn open(&self, path: &Path) -> VerifiedArchive {
        let file = std::fs::File::open(path).unwrap();
        open(file, &self.trust(), &Limits::default(), &Progress::silent()).unwrap()
    }
}

/// The lines of each relation, by name.
pub(crate) fn lines(archive: &VerifiedArchive) -> Vec<(String, Vec<String>)> {
    let relations = &archive.manifest().relations;
    let lines = |ordinal| {
        let mut text = Vec::new();
        let collect = |raw: &[u8]| {
            text.extend_from_slice(raw);
            std::io::Result::Ok(())
        };
        archive.rows(ordinal, collect).unwrap();
        String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
    };
    relations.iter().map(|r| (format!("{}.{}", r.schema, r.table), lines(r.ordinal))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_holds_all_rows_of_the_tenant_and_no_other() {
    let yard = Yard::product().await;
    let exported = yard.export("acme", "acme.tenant").await.unwrap();
    let archive = yard.open(&exported.path);
    let relations = lines(&archive);
    for (name, rows) in &relations {
        let condition = match name.as_str() {
            "app.tenants" => format!("id = '{ACME}'"),
            "app.users" => {
                format!("id in (select user_id from app.memberships where tenant_id = '{ACME}')")
            }
            "app.comments" => {
                format!("task_id in (select id from app.tasks where tenant_id = '{ACME}')")
            }
            "app.note_lines" => {
                format!("note_id in (select id from app.notes where tenant_id = '{ACME}')")
            }
            _ => format!("tenant_id = '{ACME}'"),
        };
        let expected = yard.desk.rows(
            crate::harness::cluster::SUPERUSER,
            &format!("select count(*) from {name} where {condition}"),
        );
        assert_eq!(rows.len().to_string(), expected, "{name}");
        assert!(!rows.iter().any(|row| row.contains(BOLT)), "{name} names the other tenant");
    }
    let total: usize = relations.iter().map(|(_, rows)| rows.len()).sum();
    assert!(total > 1000 && total as u64 == exported.rows, "{total}");
    let place = |wanted: &str| relations.iter().position(|(name, _)| name == wanted).unwrap();
    assert_eq!(place("app.tenants"), 0);
    for (parent, child) in [
        ("app.users", "app.memberships"),
        ("app.projects", "app.tasks"),
        ("app.tasks", "app.comments"),
        ("app.notes", "app.note_lines"),
    ] {
        assert!(place(parent) < place(child), "{parent} before {child}");
    }
    let omitted = &archive.manifest().omitted;
    assert!(omitted.iter().any(|left| left.name == "app.countries" && left.class == "global"));
    assert!(exported.receipt.is_by(&SigningKey::open(&yard.key_file()).unwrap().public()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_rows_give_the_same_members_and_another_tenants_change_changes_nothing() {
    let yard = Yard::product().await;
    let first = yard.export("acme", "first.tenant").await.unwrap();
    yard.desk.rows("app_owner", &format!("set app.tenant_id = '{BOLT}'; select 1"));
    yard.desk.rows(
        crate::harness::cluster::SUPERUSER,
        &format!("set session_replication_role = replica; update app.projects set name = name || '!' where tenant_id = '{BOLT}'"),
    );
    let second = yard.export("acme", "second.tenant").await.unwrap();
    let digests = |exported: &Exported| yard.open(&exported.path).relations().to_vec();
    assert_eq!(digests(&first), digests(&second));
    yard.desk.rows(
        crate::harness::cluster::SUPERUSER,
        &format!("set session_replication_role = replica; update app.projects set name = name || '!' where id = (select min(id) from app.projects where tenant_id = '{ACME}')"),
    );
    let third = yard.export("acme", "third.tenant").await.unwrap();
    assert_ne!(digests(&first), digests(&third), "control: a change of its own is seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_recorded_ends_its_session_and_leaves_no_rights() {
    let yard = Yard::product().await;
    yard.export("acme", "acme.tenant").await.unwrap();
    let operator = yard.console.operator().to_string();
    let recorded = yard.desk.rows(
        "app_owner",
        &format!("select string_agg(action || ' ' || outcome, ', ' order by seq) from tenantdesk.ledger where chain = 'tenant:{ACME}'"),
    );
    assert_eq!(
        recorded,
        "export intent, export.start ok, export.end done, export ok, told by the client"
    );
    let roles = yard.desk.rows(
        "app_owner",
        &format!("select string_agg(roleid::regrole::text, ',') from pg_auth_members where member = '{operator}'::regrole"),
    );
    assert_eq!(roles, "tenantdesk_operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_there_is_kept_and_a_cancel_leaves_nothing() {
    let yard = Yard::product().await;
    let path = yard.home.path().join("acme.tenant");
    std::fs::write(&path, "mine").unwrap();
    let failure = yard.export("acme", "acme.tenant").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");

    let ask = Export {
        tenant: directory::resolve(&yard.console, "acme").await.unwrap(),
        destination: Destination::File(yard.home.path().join("cancelled.tenant")),
        existing: Existing::Keep,
        signing_key: yard.key_file(),
        receipts_dir: yard.receipts_dir(),
    };
    let plan = prepare(&yard.console, ask).await.unwrap();
    let progress = Progress::silent();
    progress.cancel();
    let failure = export(&yard.console, plan, &progress).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Interrupted);
    let left: Vec<_> =
        std::fs::read_dir(yard.home.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_admin_exports() {
    let yard = Yard::product().await;
    let support = yard.desk.operator("support");
    let console = Console::connect(yard.desk.endpoint(&support)).await.unwrap();
    let yard = Yard { console, ..yard };
    let failure = yard.export("acme", "acme.tenant").await.unwrap_err();
    assert_eq!(failure.kind, Kind::Refused, "{failure:?}");
    assert!(!yard.home.path().join("acme.tenant").exists());
}

/// A disk without room.
struct Full;

impl std::io::Write for Full {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_disk_that_is_full_is_told_and_giving_up_afterwards_is_no_panic() {
    let mut pipeline = Pipeline::start(Full, manifest(&["projects"]), Keys::draw().own);
    let mut told = None;
    while told.is_none() {
        told = pipeline.copy(vec![b'x'; 1 << 20].into()).await.err();
    }
    let full =
        matches!(&told, Some(WriteError::Io(e)) if e.kind() == std::io::ErrorKind::StorageFull);
    assert!(full, "{told:?}");
    pipeline.abandon().await;
}
