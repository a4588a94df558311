//! Operators: personal logins that hold nothing between sessions, made and removed by functions.

use tenantdesk::console::{Console, ConsoleError};
use tenantdesk::failure::{Failure, Kind};
use tenantdesk::identity::{Level, OperatorName};
use tenantdesk::tenant::operators::{self, Gone, Login, NewOperator};

use crate::harness::cluster::SUPERUSER;
use crate::harness::desk::Desk;
use crate::harness::home::Home;

fn refusal<T>(result: Result<T, ConsoleError>) -> Failure {
    result.err().expect("a refusal").into()
}

async fn add(console: &Console, name: &OperatorName, level: Level) -> Result<Login, ConsoleError> {
    operators::add(console, &NewOperator { name, level, shared: false, password: None }).await
}

#[tokio::test]
async fn an_operator_is_added_changed_and_removed() {
    let desk = Desk::starter();
    let admin = desk.console_of("admin").await;
    let name = format!("bea_{}", desk.database).parse().unwrap();
    add(&admin, &name, Level::Support).await.unwrap();
    let role = desk.rows(SUPERUSER, &format!(
        "select rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles where rolname = '{name}'"
    ));
    assert_eq!(role, "t|f|f|f|f|f|f");
    operators::level(&admin, &name, Level::Viewer).await.unwrap();
    let listed = operators::list(&admin).await.unwrap();
    assert!(listed.iter().any(|o| o.name == name && o.level == Level::Viewer));
    let bea = desk.console(name.as_str()).await;
    assert_eq!(bea.level(), Some(Level::Viewer));
    assert_eq!(operators::remove(&admin, &name).await.unwrap(), Gone::Dropped);
    assert_eq!(
        desk.rows(SUPERUSER, &format!("select count(*) from pg_roles where rolname = '{name}'")),
        "0"
    );
    // Her connection was ended, and she is not let in again.
    assert!(operators::list(&bea).await.is_err());
    let trail = desk.rows(SUPERUSER, &format!(
        "select string_agg(action || ':' || outcome, ' ' order by seq) from tenantdesk.ledger where object = '{name}'"
    ));
    assert_eq!(trail, "operator.add:support operator.level:viewer operator.remove:ok");
}

#[tokio::test]
async fn an_existing_role_is_never_adopted() {
    let desk = Desk::starter();
    let admin = desk.console_of("admin").await;
    let error = refusal(add(&admin, &"app_user".parse().unwrap(), Level::Admin).await);
    assert_eq!(error.kind, Kind::Refused);
    assert!(error.message.contains("never adopted"), "{}", error.message);
}

#[tokio::test]
async fn only_an_admin_manages_operators_and_one_admin_stays() {
    let desk = Desk::starter();
    let admin = desk.operator("admin");
    for level in ["viewer", "support", "approver"] {
        let console = desk.console_of(level).await;
        let name = format!("eve_{level}").parse().unwrap();
        let error = refusal(add(&console, &name, Level::Admin).await);
        assert!(error.message.contains("needs level admin"), "{}", error.message);
        let error = refusal(operators::level(&console, console.operator(), Level::Admin).await);
        assert!(error.message.contains("needs level admin"), "{}", error.message);
    }
    let console = desk.console(&admin).await;
    let error = refusal(operators::remove(&console, &admin.parse().unwrap()).await);
    assert!(error.message.contains("nobody removes themselves"), "{}", error.message);
    let error = refusal(operators::level(&console, &admin.parse().unwrap(), Level::Viewer).await);
    assert!(error.message.contains("last admin"), "{}", error.message);
}

#[tokio::test]
async fn a_login_without_a_level_gets_no_console() {
    let desk = Desk::starter();
    let elsewhere = Desk::product();
    // An operator of one database is nobody in another: levels are kept for each database.
    let stranger = elsewhere.operator("admin");
    for login in [stranger.as_str(), "app_user"] {
        let refused = Console::connect(desk.endpoint(login)).await.unwrap_err();
        let refused = Failure::from(refused);
        assert_eq!(refused.kind, Kind::Refused);
        assert!(refused.message.contains("no operator of this database"), "{}", refused.message);
    }
}

#[test]
fn an_operator_of_another_server_is_removed_there_and_not_here() {
    let (desk, home) = (Desk::starter(), Home::started());
    let there = desk.endpoint(&desk.operator("admin")).url();
    let name = format!("ada_{}", desk.database);
    for url in [&[][..], &["--url", &there]] {
        home.answer(&[&["operator", "add", &name, "--level", "viewer"], url].concat());
    }
    assert_eq!(home.psql("app", &name, "select 1").rows(), "1");
    home.answer(&["operator", "remove", &name, "--yes", "--url", &there]);
    let roles = format!("select count(*) from pg_roles where rolname = '{name}'");
    assert_eq!(desk.rows(SUPERUSER, &roles), "0");
    assert_eq!(
        home.psql("app", &name, "select 1").rows(),
        "1",
        "the namesake here may still log in"
    );
    // Control: here, the way in is taken away.
    home.answer(&["operator", "remove", &name, "--yes"]);
    let refused = home.psql("app", &name, "select 1");
    assert!(refused.stderr.contains("eer authentication failed"), "{}", refused.stderr);
}
