//! `restore`: one tenant in, exact and atomic, and nobody else touched. Each refusal has its
//! negative control: the same steps without the fault go through. More than 400 lines, because every
//! fault of a restore is told on the same yard.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use tenantdesk::archive::restore::{
    Difference, Preview, Restore, RestoreMode, RestorePlan, Restored, left_alone, prepare, preview,
    restore,
};
use tenantdesk::archive::{ArchiveFile, ArchiveWriter, Existing, RelationDigest, VerifiedArchive};
use tenantdesk::failure::{Failure, Kind};
use tenantdesk::progress::Progress;
use tenantdesk::secret::signing_key::SigningKey;

use crate::export::{Yard, lines};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::{ACME, BOLT};

impl Yard {
    async fn plan(&self, path: &Path, mode: RestoreMode) -> Result<RestorePlan, Failure> {
        let ask = Restore {
            archive: self.open(path),
            mode,
            reason: "ticket 4711: bring it back".parse().unwrap(),
            signing_key: self.key_file(),
            receipts_dir: self.receipts_dir(),
        };
        prepare(&self.console, ask).await
    }

    async fn preview(&self, path: &Path, mode: RestoreMode) -> Preview {
        let plan = self.plan(path, mode).await.unwrap();
        preview(&self.console, &plan, &Progress::silent()).await.unwrap()
    }

    async fn restore(&self, path: &Path, mode: RestoreMode) -> Result<Restored, Failure> {
        let plan = self.plan(path, mode).await?;
        restore(&self.console, plan, "acme", None, &Progress::silent()).await
    }

    /// Statements of the superuser, past every guard.
    fn break_it(&self, sql: &str) {
        self.desk.rows(SUPERUSER, sql);
    }

    /// What the tenant amounts to, by a fresh export.
    async fn digests(&self, tenant: &str, name: &str) -> Vec<RelationDigest> {
        let exported = self.export(tenant, name).await.unwrap();
        self.open(&exported.path).relations().to_vec()
    }

    /// All rows of all tables, as the superuser sees them.
    fn everything(&self) -> String {
        self.desk.rows(
            SUPERUSER,
            "select string_agg(c.relname || ' ' || (xpath('/row/d/text()', query_to_xml(format('select md5(string_agg(x::text, chr(10) order by x::text)) as d from app.%I x', c.relname), false, true, '')))[1]::text, ', ' order by c.relname) from pg_class c where c.relnamespace = 'app'::regnamespace and c.relkind in ('r', 'p')",
        )
    }
}

/// The same archive with other lines, signed by the installation's own key: what a thief of the
/// key, or a faulty program, could write.
fn forge(yard: &Yard, path: &Path, change: impl Fn(&str, &mut Vec<String>)) -> PathBuf {
    let archive = yard.open(path);
    let key = SigningKey::open(&yard.key_file()).unwrap();
    let forged = path.with_extension("forged");
    let file = ArchiveFile::create(&forged, Existing::Replace).unwrap();
    let mut writer = ArchiveWriter::begin(file, archive.manifest()).unwrap();
    for ((name, mut rows), ordinal) in lines(&archive).into_iter().zip(1..) {
        change(&name, &mut rows);
        writer.relation(ordinal).unwrap();
        for row in &rows {
            writer.copy(format!("{row}\n").as_bytes()).unwrap();
        }
    }
    let (mut file, _) = writer.finish(&key).unwrap();
    file.flush().unwrap();
    file.publish().unwrap()
}

/// How a forger changes the rows of a relation.
type Change<'c> = &'c dyn Fn(&str, &mut Vec<String>);

fn of<'d>(differences: &'d [Difference], name: &str) -> &'d Difference {
    differences.iter().find(|difference| difference.name == name).unwrap()
}

const DAMAGE: &str = "
    delete from app.comments where task_id in (select id from app.tasks where tenant_id = 'ACME') and id % 3 = 0;
    delete from app.tasks where tenant_id = 'ACME' and id % 7 = 0;
    delete from app.notes where tenant_id = 'ACME' and id % 5 = 0;
    delete from app.events where tenant_id = 'ACME' and ctid in (select ctid from app.events where tenant_id = 'ACME' limit 3);
    delete from app.memberships where tenant_id = 'ACME';";

fn damage() -> String {
    DAMAGE.replace("ACME", ACME)
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rows_come_back_and_nothing_else_changes() {
    let yard = Yard::product().await;
    let before = yard.everything();
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    yard.break_it(&damage());
    let damaged = yard.everything();
    assert_ne!(before, damaged);

    let seen = yard.preview(&archive, RestoreMode::Missing).await;
    assert!(of(&seen.relations, "app.tasks").missing > 0);
    assert_eq!(of(&seen.relations, "app.projects").missing, 0);
    assert_eq!(yard.everything(), damaged, "a preview changes nothing");

    let restored = yard.restore(&archive, RestoreMode::Missing).await.unwrap();
    assert_eq!(restored.relations, seen.relations);
    // People are not visible without their membership; those who are there are left alone.
    let own = seen.relations.iter().filter(|relation| relation.name != "app.users");
    assert_eq!(restored.inserted, own.map(|relation| relation.missing).sum::<u64>());
    assert_eq!(yard.everything(), before);
    assert!(restored.receipt.is_by(&SigningKey::open(&yard.key_file()).unwrap().public()));
    let again = yard.restore(&archive, RestoreMode::Missing).await.unwrap();
    assert_eq!((again.inserted, again.updated, again.deleted), (0, 0, 0), "a second run");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_person_comes_back_and_one_who_is_there_stays_as_he_is() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    let before = yard.everything();
    let gone = yard.desk.rows(SUPERUSER, &format!("select min(user_id) from app.memberships m where tenant_id = '{ACME}' and not exists (select 1 from app.memberships o where o.user_id = m.user_id and o.tenant_id <> m.tenant_id)"));
    yard.break_it(&format!(
        "set app.tenant_id = '{ACME}'; delete from app.users where id = {gone}"
    ));
    assert!(!gone.is_empty());
    yard.restore(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(yard.everything(), before);

    yard.break_it(&format!("update app.users set password_hash = 'newer' where id = {gone}"));
    let changed = yard.everything();
    let restored = yard.restore(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(of(&restored.relations, "app.users").changed, 1);
    assert_eq!(yard.everything(), changed, "a shared row is never changed");
    let left = |mode| left_alone(mode, &restored.relations);
    assert_eq!(
        left(RestoreMode::Replace),
        ["`app.users`: 1 changed row stays as it is: it belongs to the installation"]
    );
    assert!(left(RestoreMode::Missing).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_row_whose_unique_key_is_taken_is_a_conflict_before_anything_runs() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    // The project is made again under its name: another row with the same unique key.
    let name = yard.desk.rows(
        SUPERUSER,
        &format!("select name from app.projects where tenant_id = '{ACME}' order by id limit 1"),
    );
    let lost = format!("tenant_id = '{ACME}' and name = '{name}'");
    yard.break_it(&format!("delete from app.projects where {lost}"));
    let seen = yard.preview(&archive, RestoreMode::Missing).await;
    assert_eq!(seen.refusal(), None, "the row alone is missing");
    yard.break_it(&format!(
        "insert into app.projects (tenant_id, name) values ('{ACME}', '{name}')"
    ));
    let seen = yard.preview(&archive, RestoreMode::Missing).await;
    let projects = of(&seen.relations, "app.projects");
    assert_eq!((projects.conflicts, projects.collisions), (1, 1));
    assert!(seen.refusal().unwrap().contains("unique key"));
    yard.restore(&archive, RestoreMode::Missing).await.unwrap_err();
    // A replacement removes the row that is in the way.
    let seen = yard.preview(&archive, RestoreMode::Replace).await;
    assert_eq!(seen.refusal(), None);
    yard.restore(&archive, RestoreMode::Replace).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_leaves_changed_and_extra_rows_and_still_verifies() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    yard.break_it(&format!(
        "delete from app.notes where tenant_id = '{ACME}' and id % 5 = 0;
         update app.notes set title = 'newer' where id = (select min(id) from app.notes where tenant_id = '{ACME}');
         insert into app.notes (tenant_id, title) values ('{ACME}', 'extra')"
    ));
    let restored = yard.restore(&archive, RestoreMode::Missing).await.unwrap();
    let notes = of(&restored.relations, "app.notes");
    assert_eq!((notes.changed, notes.extra), (1, 1));
    let kept = format!(
        "select count(*) from app.notes where tenant_id = '{ACME}' and title in ('newer', 'extra')"
    );
    assert_eq!(yard.desk.rows(SUPERUSER, &kept), "2");
    let after = yard.preview(&archive, RestoreMode::Missing).await;
    assert_eq!(of(&after.relations, "app.notes").missing, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn replace_makes_the_tenant_what_the_archive_holds() {
    let yard = Yard::product().await;
    let before = yard.digests("acme", "before.tenant").await;
    let bolt = yard.digests("bolt", "bolt.tenant").await;
    let archive = yard.home.path().join("before.tenant");
    yard.break_it(&damage());
    yard.break_it(&format!(
        "insert into app.projects (tenant_id, name) values ('{ACME}', 'made later');
         update app.tasks set project_id = (select id from app.projects where name = 'made later') where id in (select id from app.tasks where tenant_id = '{ACME}' limit 9);
         update app.notes set title = 'changed' where tenant_id = '{ACME}' and id % 2 = 0;
         insert into app.events (tenant_id, at, kind) values ('{ACME}', '2025-05-05', 'extra');
         set session_replication_role = replica;
         with two as (select id, name, row_number() over (order by id) as n from app.projects where tenant_id = '{ACME}' order by id limit 2)
           update app.projects p set name = 'swap ' || p.id from two where p.id = two.id;
         update app.invoices set amount = amount + 1 where tenant_id = '{ACME}'"
    ));
    let restored = yard.restore(&archive, RestoreMode::Replace).await.unwrap();
    assert!(restored.inserted > 0 && restored.deleted > 0);
    assert_eq!(yard.digests("acme", "after.tenant").await, before);
    assert_eq!(yard.digests("bolt", "bolt-after.tenant").await, bolt);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_were_taken_over_or_swapped_are_put_back() {
    let yard = Yard::product().await;
    let before = yard.digests("acme", "before.tenant").await;
    let archive = yard.home.path().join("before.tenant");
    yard.break_it(&format!(
        "create temp table two as select min(id) as a, max(id) as b from app.projects where tenant_id = '{ACME}';
         create temp table names as select id, name from app.projects where id in (select a from two union select b from two);
         set session_replication_role = replica;
         update app.projects set name = 'swap' where id = (select a from two);
         update app.projects set name = (select n.name from names n join two on n.id = two.a) where id = (select b from two);
         update app.projects set name = (select n.name from names n join two on n.id = two.b) where id = (select a from two)"
    ));
    yard.restore(&archive, RestoreMode::Replace).await.unwrap();
    assert_eq!(yard.digests("acme", "after.tenant").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_tenant_is_refused_by_the_database_and_nothing_changes() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    yard.break_it(&damage());
    let damaged = yard.everything();
    let foreign_task = yard
        .desk
        .rows(SUPERUSER, &format!("select min(id) from app.tasks where tenant_id = '{BOLT}'"));
    let foreign_note = yard
        .desk
        .rows(SUPERUSER, &format!("select min(id) from app.notes where tenant_id = '{BOLT}'"));
    let in_place = |rows: &mut Vec<String>, at: usize, row: String| {
        let at = at.min(rows.len());
        rows.insert(at, row);
    };
    let cases: [(&str, Change<'_>); 5] = [
        ("the key names another tenant, first", &|name, rows| {
            if name == "app.projects" {
                let row = rows[0].replace(ACME, BOLT).replacen(|c: char| c != '\t', "", 0);
                let fields = row.split_once('\t').unwrap().1.to_owned();
                in_place(rows, 0, format!("990001\t{fields}").replace("project", "forged"));
            }
        }),
        ("the key names another tenant, last", &|name, rows| {
            if name == "app.invoices" {
                rows.push(format!("990001\t{BOLT}\t5.00\tforged"));
            }
        }),
        ("the key is null", &|name, rows| {
            if name == "app.templates" {
                rows.push("990001\t\\N\tforged".to_owned());
            }
        }),
        ("the parent is another tenant's", &|name, rows| {
            if name == "app.comments" {
                in_place(rows, 5, format!("990001\t{foreign_task}\tforged"));
            }
        }),
        ("the parent is another tenant's, through a view", &|name, rows| {
            if name == "app.note_lines" {
                rows.push(format!("990001\t{foreign_note}\tforged"));
            }
        }),
    ];
    for (what, change) in cases {
        let forged = forge(&yard, &archive, change);
        for mode in [RestoreMode::Missing, RestoreMode::Replace] {
            let failure = yard.restore(&forged, mode).await.unwrap_err();
            assert_eq!(failure.kind, Kind::Refused, "{what}: {failure:?}");
            assert!(failure.message.contains("another tenant"), "{what}: {failure:?}");
            assert_eq!(yard.everything(), damaged, "{what}");
        }
    }
    let control = forge(&yard, &archive, |_, _| {});
    yard.restore(&control, RestoreMode::Missing).await.unwrap();
    assert_ne!(yard.everything(), damaged, "control: without the foreign row it goes through");
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_move_up_and_never_down() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    let largest = yard
        .desk
        .rows(SUPERUSER, &format!("select max(id) from app.projects where tenant_id = '{ACME}'"));
    yard.break_it(&format!("delete from app.projects where tenant_id = '{ACME}'; select setval('app.projects_id_seq', 1); select setval('app.tasks_id_seq', 5000000)"));
    yard.restore(&archive, RestoreMode::Missing).await.unwrap();
    let next = |table: &str| {
        yard.desk
            .rows(SUPERUSER, &format!("select nextval('app.{table}_id_seq')"))
            .parse::<i64>()
            .unwrap()
    };
    assert!(next("projects") > largest.parse().unwrap());
    assert_eq!(next("tasks"), 5_000_001);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_rewrites_rows_is_found_before_the_commit() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    yard.break_it(&format!(
        "create function app.rewrite() returns trigger language plpgsql as $$ begin new.body := 'rewritten'; return new; end $$;
         create trigger rewrite before insert on app.docs for each row execute function app.rewrite();
         delete from app.docs where tenant_id = '{ACME}'"
    ));
    let damaged = yard.everything();
    for mode in [RestoreMode::Missing, RestoreMode::Replace] {
        let failure = yard.restore(&archive, mode).await.unwrap_err();
        assert_eq!(failure.kind, Kind::Negative, "{failure:?}");
        assert!(failure.message.contains("app.docs"), "{failure:?}");
        assert_eq!(yard.everything(), damaged);
    }
    yard.break_it("alter table app.docs disable trigger rewrite");
    yard.restore(&archive, RestoreMode::Missing).await.unwrap();
    assert_ne!(yard.everything(), damaged, "control: without the trigger it goes through");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moved_since_the_preview_and_a_wrong_confirmation_are_refused() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    yard.break_it(&damage());
    let seen = yard.preview(&archive, RestoreMode::Missing).await;
    yard.break_it(&format!("delete from app.projects where id = (select max(id) from app.projects where tenant_id = '{ACME}')"));
    let run = async |confirm: &str, seen: &Preview| {
        let plan = yard.plan(&archive, RestoreMode::Missing).await.unwrap();
        restore(&yard.console, plan, confirm, Some(seen), &Progress::silent()).await
    };
    let moved = run("acme", &seen).await.unwrap_err();
    assert!(moved.message.contains("changed since the preview"), "{moved:?}");
    let wrong = run("bolt", &seen).await.unwrap_err();
    assert_eq!(wrong.kind, Kind::Refused);
    let fresh = yard.preview(&archive, RestoreMode::Missing).await;
    run("acme", &fresh).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_shape_is_named_before_anything_is_asked_of_it() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    for (change, undo, word) in [
        (
            "alter table app.flags rename to flags2; alter table app.flags2 rename to flags; alter table app.templates rename column body to text",
            "alter table app.templates rename column text to body",
            "no column `body`",
        ),
        (
            "alter table app.templates alter column body type varchar(90)",
            "alter table app.templates alter column body type text",
            "character varying(90)",
        ),
    ] {
        yard.break_it(change);
        let failure = yard.plan(&archive, RestoreMode::Missing).await.unwrap_err();
        assert!(failure.message.contains(word), "{failure:?}");
        yard.break_it(undo);
    }
    yard.plan(&archive, RestoreMode::Missing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_restore_changes_nothing_and_leaves_no_rights() {
    let yard = Yard::product().await;
    let archive = yard.export("acme", "acme.tenant").await.unwrap().path;
    yard.break_it(&damage());
    let damaged = yard.everything();
    let plan = yard.plan(&archive, RestoreMode::Replace).await.unwrap();
    let progress = Progress::silent();
    progress.cancel();
    let failure = restore(&yard.console, plan, "acme", None, &progress).await.unwrap_err();
    assert_eq!(failure.kind, Kind::Interrupted);
    assert_eq!(yard.everything(), damaged);
    let operator = yard.console.operator().to_string();
    let roles = format!(
        "select string_agg(roleid::regrole::text, ',') from pg_auth_members where member = '{operator}'::regrole"
    );
    assert_eq!(yard.desk.rows("app_owner", &roles), "tenantdesk_operator");
}

/// The compiler's proof that an archive cannot be restored unverified: there is no other way to
/// make one of these.
#[allow(dead_code, reason = "it only has to compile")]
fn only_a_verified_archive_is_restored(restore: Restore) -> VerifiedArchive {
    restore.archive
}
