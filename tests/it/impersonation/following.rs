//! Following references: to the parent and back to the children, inside the tenant and nowhere else.

use tenantdesk::identity::Mode;
use tenantdesk::impersonation::{
    Counted, Impersonation, ImpersonationError, KeySet, Link, Links, Match, PageAsk, row_values,
};

use super::{console, reader, request, try_start};
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;

/// Where one can go from a record.
async fn links_of(inside: &Impersonation, relation: &str, key: &[&str]) -> Links {
    let key = KeySet(key.iter().map(|value| Some((*value).to_owned())).collect());
    let record = inside.record(relation, &key, None).await.unwrap();
    inside.links(relation, &row_values(&record), true, None).await.unwrap()
}

/// The one link between two relations by these columns.
fn link<'l>(links: &'l [Link], from: &str, to: &str, columns: &[&str]) -> &'l Link {
    let found: Vec<&Link> = links
        .iter()
        .filter(|link| {
            let one = &link.reference;
            one.from == from && one.to == to && one.columns == columns
        })
        .collect();
    assert_eq!(found.len(), 1, "{from} -> {to} by {columns:?} in {links:#?}");
    found[0]
}

/// The rows that a link leads to.
async fn rows_at(inside: &Impersonation, relation: &str, link: &Link) -> usize {
    let at = link.at.clone().unwrap();
    inside.page(&PageAsk { at, ..PageAsk::new(relation, 50) }).await.unwrap().rows.len()
}

fn at(column: &str, value: &str) -> Match {
    Match { column: column.into(), value: value.into() }
}

const fn exactly(rows: u64) -> Counted {
    Counted { rows, more: false }
}

#[tokio::test]
async fn a_row_leads_to_its_parents_and_its_children_and_back() {
    let desk = Desk::product();
    let inside = reader(&desk).await;
    // Task 2 belongs to project 3, which is acme's.
    let task = links_of(&inside, "app.tasks", &["2"]).await;
    let up = link(&task.parents, "app.tasks", "app.projects", &["tenant_id", "project_id"]);
    assert_eq!(up.at.as_ref().unwrap()[1], at("id", "3"));
    assert_eq!(rows_at(&inside, "app.projects", up).await, 1);
    let project = links_of(&inside, "app.projects", &["3"]).await;
    let down = link(&project.children, "app.tasks", "app.projects", &["tenant_id", "project_id"]);
    assert_eq!(down.rows, Some(exactly(3)));
    assert_eq!(rows_at(&inside, "app.tasks", down).await, 3);
    let comments = link(&task.children, "app.comments", "app.tasks", &["task_id"]);
    assert_eq!(comments.rows, Some(exactly(3)));
    // Guarded views have the foreign keys of the tables in whose place they stand.
    let line = inside.page(&PageAsk::new("app.note_lines", 1)).await.unwrap().keys[0].0[0].clone();
    let note = links_of(&inside, "app.note_lines", &[&line.unwrap()]).await;
    let notes = link(&note.parents, "app.note_lines", "app.notes", &["note_id"]);
    assert_eq!(rows_at(&inside, "app.notes", notes).await, 1);
    // A NULL leads nowhere.
    assert_eq!(link(&project.parents, "app.projects", "app.users", &["owner_id"]).at, None);
}

#[tokio::test]
async fn a_parent_of_another_tenant_is_not_found_as_one_that_does_not_exist() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; update app.attachments set project_id = 1 where id = 3; update app.attachments set project_id = 987654 where id = 6; update app.attachments set project_id = 3 where id in (1, 4)");
    let owner = desk.rows(SUPERUSER, "select count(*) from app.projects p join app.attachments a on a.project_id = p.id where a.id = 3 and p.tenant_id <> a.tenant_id");
    assert_eq!(owner, "1", "control: the parent is there, and another tenant's");
    let inside = reader(&desk).await;
    for attachment in ["3", "6"] {
        let links = links_of(&inside, "app.attachments", &[attachment]).await;
        let up = link(&links.parents, "app.attachments", "app.projects", &["project_id"]);
        assert_eq!(rows_at(&inside, "app.projects", up).await, 0);
    }
    // Children of another tenant are not even counted: 1 and 4 are bolt's.
    let project = links_of(&inside, "app.projects", &["3"]).await;
    let down = link(&project.children, "app.attachments", "app.projects", &["project_id"]);
    assert_eq!(down.rows, Some(exactly(0)));
    // A key that is none of its type is not found either.
    let ask = PageAsk { at: vec![at("id", "no number")], ..PageAsk::new("app.projects", 2) };
    let error = inside.page(&ask).await.unwrap_err();
    assert!(matches!(error, ImpersonationError::NotFound(_)), "{error:?}");
}

#[tokio::test]
async fn children_are_counted_in_one_statement_and_up_to_a_limit() {
    let desk = Desk::product();
    desk.rows(
        SUPERUSER,
        "insert into app.comments (task_id, body) select 2, 'again' from generate_series(1, 2000)",
    );
    let inside = reader(&desk).await;
    let counted = "select count(*) from tenantdesk.ledger l join tenantdesk.ledger_details d using (chain, seq) where l.action = 'statement' and l.outcome = 'intent' and d.body like '%counted%'";
    let links = links_of(&inside, "app.tasks", &["2"]).await;
    let comments = link(&links.children, "app.comments", "app.tasks", &["task_id"]);
    assert_eq!(comments.rows, Some(Counted { rows: 1_000, more: true }));
    let project = links_of(&inside, "app.projects", &["3"]).await;
    assert!(project.children.len() > 1);
    assert_eq!(desk.rows(SUPERUSER, counted), "2", "one for each record");
    let plain = [("id".to_owned(), Some("3".to_owned()))];
    let uncounted = inside.links("app.projects", &plain, false, None).await.unwrap();
    assert!(uncounted.children.iter().all(|link| link.rows.is_none()));
    assert_eq!(desk.rows(SUPERUSER, counted), "2");
}

#[tokio::test]
async fn the_word_of_a_polymorphic_pair_decides_where_it_leads() {
    let desk = Desk::custom(
        "",
        include_str!("../../fixtures/archive_links.sql"),
        include_str!("../../fixtures/archive_links_rows.sql"),
        include_str!("../../fixtures/archive_links.toml"),
    );
    let console = console(&desk, &desk.operator("support")).await;
    let ask = tenantdesk::impersonation::StartImpersonation {
        member: Some("u1@example.com".into()),
        ..request(Mode::Read)
    };
    let inside = try_start(&console, ask).await.unwrap();
    let mine = |what: &str| format!("select min(id) from app.comments where {what}");
    let on_project = desk.rows(SUPERUSER, &mine("subject_type = 'Project' and subject_id = '101'"));
    let on_doc =
        desk.rows(SUPERUSER, &mine("subject_type = 'app/doc' and subject_id like '%-0001-%'"));
    for (comment, to) in [(&on_project, "app.projects"), (&on_doc, "app.docs")] {
        let links = links_of(&inside, "app.comments", &[comment]).await;
        assert_eq!(links.parents.len(), 1, "{links:#?}");
        let up = link(&links.parents, "app.comments", to, &["subject_id"]);
        assert_eq!(rows_at(&inside, to, up).await, 1);
    }
    let project = links_of(&inside, "app.projects", &["101"]).await;
    let down = link(&project.children, "app.comments", "app.projects", &["subject_id"]);
    assert_eq!(down.rows, Some(exactly(1)));
    assert!(down.at.as_ref().unwrap().contains(&at("subject_type", "Project")));
    // Declared in the map only: the code of a project, which several projects have.
    let by_code = link(&project.children, "app.reviews", "app.projects", &["project_code"]);
    assert!(rows_at(&inside, "app.reviews", by_code).await > 0);
}

#[tokio::test]
async fn names_that_need_quotes_and_keys_of_several_columns_are_followed() {
    let desk = Desk::custom(
        "",
        include_str!("../../fixtures/archive_names.sql"),
        include_str!("../../fixtures/archive_names_rows.sql"),
        include_str!("../../fixtures/archive_names.toml"),
    );
    let console = console(&desk, &desk.operator("support")).await;
    let tenant = desk.rows(
        SUPERUSER,
        "select \"Whose\" from \"select\".\"ééééééééééééééééééééééééééééééé.\" limit 1",
    );
    let ask = tenantdesk::impersonation::StartImpersonation {
        tenant: tenant.clone(),
        member: None,
        ..request(Mode::Read)
    };
    let inside = try_start(&console, ask).await.unwrap();
    let name = "\"select\".\"ééééééééééééééééééééééééééééééé.\"";
    let page = inside.page(&PageAsk::new(name, 1)).await.unwrap();
    let record = inside.record(name, &page.keys[0], None).await.unwrap();
    let links = inside.links(name, &row_values(&record), true, None).await.unwrap();
    let up = link(&links.parents, name, "\"My Schema\".\"user\"", &["Whose", "from"]);
    assert_eq!(rows_at(&inside, "\"My Schema\".\"user\"", up).await, 1);
    assert_eq!(up.at.as_ref().unwrap()[0], at("Id", &tenant));
}
