//! The data browser: relations, keyset pages in both directions, filters, records, counts.

use tenantdesk::failure::{Explain as _, Kind};
use tenantdesk::impersonation::{
    Filter, FilterOperator, From, Impersonation, ImpersonationError, Order, Page, PageAsk, RowKey,
};

use super::reader;
use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;

/// The values of one column.
fn column(page: &Page, name: &str) -> Vec<String> {
    let place = page.columns.iter().position(|column| column.name == name).unwrap();
    let text = |row: &Vec<Option<tenantdesk::text::Untrusted>>| {
        row[place].as_ref().map_or_else(|| "∅".to_owned(), |cell| cell.raw().to_owned())
    };
    page.rows.iter().map(text).collect()
}

/// All values of a column, page by page to the end and back to the beginning.
async fn walk(impersonation: &Impersonation, mut ask: PageAsk, name: &str) -> Vec<String> {
    let mut forward = Vec::new();
    let mut page = impersonation.page(&ask).await.unwrap();
    assert!(page.before.is_none());
    loop {
        forward.extend(column(&page, name));
        let Some(after) = page.after.clone() else { break };
        ask.from = From::After(after);
        page = impersonation.page(&ask).await.unwrap();
        assert!(page.before.is_some());
    }
    let mut back = column(&page, name);
    while let Some(before) = page.before.clone() {
        ask.from = From::Before(before);
        page = impersonation.page(&ask).await.unwrap();
        if page.rows.is_empty() {
            break;
        }
        back.splice(0..0, column(&page, name));
    }
    assert_eq!(forward, back, "the way back shows the same rows");
    forward
}

#[tokio::test]
async fn relations_come_with_columns_keys_and_an_estimate_inside_the_tenant() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    let relations = impersonation.relations(None).await.unwrap();
    let find = |name: &str| relations.iter().find(|r| r.name == name).unwrap();
    let projects = find("app.projects");
    assert_eq!(projects.key, RowKey::Columns(vec!["id".into()]));
    let estimate = projects.rows_estimate.unwrap();
    assert!((100..2_500).contains(&estimate), "{estimate} of 3000 in three tenants");
    assert!(find("app.notes").column("secret").is_some(), "a guarded view has its table's columns");
    assert_eq!(find("app.notes").key, RowKey::Columns(vec!["id".into()]));
    assert_eq!(find("app.events").key, RowKey::None);
    assert!(find("app.events").note().is_some());
    assert_eq!(relations[0].name, "app.tenants");
}

#[tokio::test]
async fn pages_show_every_row_once_in_every_order() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; update app.projects set secret = null where id % 4 = 0; update app.projects set country = null where id % 2 = 0");
    let impersonation = reader(&desk).await;
    for (relation, order, rows) in [
        ("app.projects", None, 1_000),
        ("app.projects", Some(("secret", false)), 1_000),
        ("app.projects", Some(("secret", true)), 1_000),
        ("app.projects", Some(("country", false)), 1_000),
        ("app.projects", Some(("country", true)), 1_000),
        ("app.projects", Some(("created_at", true)), 1_000),
        ("app.projects", Some(("state", true)), 1_000),
        ("app.projects", Some(("id", true)), 1_000),
        ("app.notes", Some(("title", false)), 1_000),
    ] {
        let mut ask = PageAsk::new(relation, 170);
        ask.order = order.map(|(column, descending)| Order { column: column.into(), descending });
        let seen = walk(&impersonation, ask, "id").await;
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((seen.len(), unique.len()), (rows, rows), "{relation} by {order:?}");
        if let Some((column, descending)) = order
            && relation == "app.projects"
        {
            let direction = if descending { "desc" } else { "asc" };
            let expected = desk.rows(SUPERUSER, &format!("select id from app.projects where tenant_id = (select id from app.tenants where slug = 'acme') order by {column} {direction}, id {direction}"));
            assert_eq!(seen, expected.lines().collect::<Vec<_>>(), "{order:?}");
        }
    }
}

#[tokio::test]
async fn tables_without_a_key_are_paged_by_place_or_show_their_first_page_with_a_note() {
    let desk = Desk::product();
    desk.rows("app_owner", "alter table app.tasks drop constraint tasks_pkey cascade");
    let impersonation = reader(&desk).await;
    let seen = walk(&impersonation, PageAsk::new("app.tasks", 1_000), "id").await;
    assert_eq!(seen.len(), 3_000);
    let page = impersonation.page(&PageAsk::new("app.events", 10)).await.unwrap();
    assert_eq!((page.rows.len(), page.after, page.keys.len()), (10, None, 0));
    assert!(page.note.unwrap().contains("first page"));
}

#[tokio::test]
async fn filters_travel_as_values() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; update app.projects set secret = null where id = 6");
    let impersonation = reader(&desk).await;
    let filtered = |column: &str, operator, value: &str| {
        let mut ask = PageAsk::new("app.projects", 2_000);
        ask.filter = Some(Filter { column: column.into(), operator, value: value.into() });
        ask
    };
    for (column, operator, value, rows) in [
        ("name", FilterOperator::Equal, "p3", 1),
        ("name", FilterOperator::Contains, "P30", 6),
        ("name", FilterOperator::Contains, "' or true --", 0),
        ("name", FilterOperator::Contains, "%", 0),
        ("id", FilterOperator::Less, "10", 3),
        ("id", FilterOperator::AtMost, "9", 3),
        ("id", FilterOperator::Greater, "2990", 4),
        ("id", FilterOperator::AtLeast, "2991", 4),
        ("id", FilterOperator::NotEqual, "3", 999),
        ("secret", FilterOperator::Null, "", 1),
        ("secret", FilterOperator::NotNull, "", 999),
        ("state", FilterOperator::Equal, "open", 1_000),
        ("created_at", FilterOperator::Greater, "2000-01-01", 1_000),
    ] {
        let ask = filtered(column, operator, value);
        let page = impersonation.page(&ask).await.unwrap();
        assert_eq!(page.rows.len(), rows, "{column} {operator:?} {value}");
        let counted = impersonation.count(&ask).await.unwrap();
        assert_eq!(counted, i64::try_from(rows).unwrap());
    }
    let error = impersonation.page(&filtered("id", FilterOperator::Equal, "x")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Server, "{error:?}");
    let error =
        impersonation.page(&filtered("nope", FilterOperator::Equal, "x")).await.unwrap_err();
    assert!(matches!(error, ImpersonationError::NotFound(_)), "{error:?}");
}

#[tokio::test]
async fn long_values_are_cut_in_pages_and_whole_in_a_record() {
    let desk = Desk::product();
    desk.rows(SUPERUSER, "set session_replication_role = replica; update app.projects set secret = repeat('ü', 5000) where id = 3");
    let impersonation = reader(&desk).await;
    let mut ask = PageAsk::new("app.projects", 1);
    ask.columns = vec!["secret".into(), "tenant_id".into()];
    let page = impersonation.page(&ask).await.unwrap();
    let cell = page.rows[0][0].as_ref().unwrap().raw();
    assert!(cell.ends_with('…') && cell.chars().count() == 1_001);
    assert_eq!(page.shortened, [(0, 0)], "and it is told");
    let record = impersonation.record("app.projects", &page.keys[0], None).await.unwrap();
    let whole = record.iter().find(|field| field.column.name == "secret").unwrap();
    assert_eq!(whole.value.as_ref().unwrap().raw().chars().count(), 5_000);
    assert!(record.iter().all(|field| !field.shortened));
    let foreign = tenantdesk::impersonation::KeySet(vec![Some("1".into())]);
    let error = impersonation.record("app.projects", &foreign, None).await.unwrap_err();
    assert!(matches!(error, ImpersonationError::NotFound(_)), "{error:?}");
}

#[tokio::test]
async fn a_record_says_what_is_longer_than_it_can_show() {
    let desk = Desk::product();
    let columns: Vec<String> = (1..=9).map(|n| format!("add c{n} text")).collect();
    desk.rows("app_owner", &format!("alter table app.attachments {}", columns.join(", ")));
    let [acme, set] =
        ["where id = 3", "set session_replication_role = replica; update app.attachments set"];
    desk.rows(SUPERUSER, &format!("{set} path = repeat('x', 1000001) {acme}"));
    let impersonation = reader(&desk).await;
    let ask = PageAsk { columns: vec!["id".into()], ..PageAsk::new("app.attachments", 1) };
    let page = impersonation.page(&ask).await.unwrap();
    let key = &page.keys[0];
    let record = impersonation.record("app.attachments", key, None).await.unwrap();
    let cut: Vec<_> = record.iter().filter(|field| field.shortened).collect();
    assert_eq!(cut.len(), 1);
    assert_eq!(cut[0].column.name, "path");
    assert_eq!(cut[0].value.as_ref().unwrap().raw().chars().count(), 1_000_001, "and the sign");
    let huge: Vec<String> = (1..=9).map(|n| format!("c{n} = repeat('😀', 1000000)")).collect();
    desk.rows(SUPERUSER, &format!("{set} {} {acme}", huge.join(", ")));
    let error = impersonation.record("app.attachments", key, None).await.unwrap_err();
    assert_eq!(error.to_string(), "the record is larger than 32 MiB");
}

#[tokio::test]
async fn browsing_is_recorded_and_watched() {
    let desk = Desk::product();
    let impersonation = reader(&desk).await;
    impersonation.page(&PageAsk::new("app.tenants", 5)).await.unwrap();
    let shapes = desk.rows(SUPERUSER, "select d.body::jsonb ->> 'sql' from tenantdesk.ledger l join tenantdesk.ledger_details d using (chain, seq) where action = 'statement' and outcome = 'intent' order by seq");
    assert!(shapes.lines().any(|shape| shape.contains("from \"app\".\"tenants\"")), "{shapes}");
    desk.rows("app_owner", "alter table app.tenants disable row level security");
    let error = impersonation.page(&PageAsk::new("app.tenants", 5)).await.unwrap_err();
    assert!(matches!(error, ImpersonationError::Leak(_)), "{error:?}");
}
