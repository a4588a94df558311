//! TLS to a server over a network: whom the server is believed to be in each mode, and what is
//! told where it is somebody else. Each refusal has its counterpart that goes through.

use std::sync::LazyLock;

use secrecy::SecretString;
use tenantdesk::failure::{Explain as _, Failure, Kind};
use tenantdesk::postgres::{Endpoint, Link, ServerError, Why, connect};

use crate::harness::tls::{Ask, Authority, LOOPBACK, TlsServer, self_signed};

static SERVER: LazyLock<TlsServer> = LazyLock::new(TlsServer::start);

/// Connects; the password is in the address, as in `TENANTDESK_URL`.
async fn open(url: &str) -> Result<Link, ServerError> {
    connect(&Endpoint::parse_secret(&SecretString::from(url)).unwrap(), "test").await
}

/// Why it does not connect, with the error of one that a person would see.
async fn refused(url: &str) -> (Why, Failure) {
    let error = open(url).await.expect_err(url);
    let hints = error.hints();
    let shown = error.to_string();
    assert!(!shown.contains("c4n4ry"), "{shown}");
    let ServerError::Connect(unreachable) = error else { panic!("{shown}") };
    let kind = unreachable.kind();
    let mut failure = Failure::new(kind, shown);
    failure.hints = hints;
    (unreachable.why, failure)
}

/// Whether the connection is encrypted, as the server sees it.
async fn encrypted(link: &Link) -> bool {
    let ask = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    link.client().query_one(ask, &[]).await.unwrap().get(0)
}

fn with_password(server: &TlsServer, user: &str, host: &str, parameters: &str) -> String {
    let url = server.url(user, host, parameters);
    url.replacen(user, &format!("{user}:c4n4ry%3A{user}"), 1)
}

#[tokio::test]
async fn a_server_that_an_authority_vouches_for_by_its_name_is_reached_with_tls() {
    let root = SERVER.root();
    for host in ["localhost", "127.0.0.1"] {
        for mode in ["verify-full", "verify-ca", "require"] {
            let parameters = format!("sslmode={mode}&sslrootcert={root}&channel_binding=require");
            let link = open(&with_password(&SERVER, "scram_ann", host, &parameters)).await.unwrap();
            assert!(encrypted(&link).await, "{host} {mode}");
        }
    }
}

#[tokio::test]
async fn an_authority_that_nobody_trusts_is_told_and_only_require_goes_on_without() {
    let other = Authority::new("another authority");
    let file = SERVER.file("other.crt", other.pem());
    for roots in [format!("sslrootcert={}", file.display()), "sslrootcert=system".to_owned()] {
        let url = with_password(
            &SERVER,
            "scram_ann",
            "localhost",
            &format!("sslmode=verify-full&{roots}"),
        );
        let (why, failure) = refused(&url).await;
        assert!(matches!(why, Why::UnknownAuthority), "{why:?}");
        assert_eq!(failure.kind, Kind::Server);
        assert!(failure.hints[0].contains("sslrootcert"), "{failure:?}");
    }
    let link = open(&with_password(&SERVER, "scram_ann", "localhost", "sslmode=require")).await;
    assert!(encrypted(&link.unwrap()).await);
}

#[tokio::test]
async fn each_fault_of_a_certificate_is_told_for_what_it_is() {
    let server = TlsServer::start();
    let root = server.root();
    let url = |mode: &str, root: &str| {
        with_password(
            &server,
            "scram_ann",
            "localhost",
            &format!("sslmode={mode}&sslrootcert={root}"),
        )
    };
    let sign = |ask| server.authority.sign(ask);

    server.show(sign(Ask { names: &["db.example.org", "db2.example.org"], ..LOOPBACK }));
    let (why, failure) = refused(&url("verify-full", &root)).await;
    assert!(matches!(why, Why::WrongHost(_)), "{why:?}");
    assert!(failure.message.contains("`db.example.org`, `db2.example.org`"), "{failure}");
    assert!(open(&url("verify-ca", &root)).await.is_ok(), "verify-ca does not look at the name");

    server.show(sign(Ask { names: &[], ..LOOPBACK }));
    let (_, failure) = refused(&url("verify-full", &root)).await;
    assert!(failure.hints[0].contains("subjectAltName=DNS:localhost"), "{failure:?}");

    server.show(sign(Ask { years: (2020, 2021), ..LOOPBACK }));
    let (why, failure) = refused(&url("verify-full", &root)).await;
    assert!(matches!(why, Why::Expired(_)), "{why:?}");
    assert!(failure.message.contains("2021-01-01"), "{failure}");
    assert!(matches!(refused(&url("verify-ca", &root)).await.0, Why::Expired(_)));

    server.show(sign(Ask { years: (2090, 2091), ..LOOPBACK }));
    let (why, failure) = refused(&url("verify-full", &root)).await;
    assert!(matches!(why, Why::NotYetValid(_)) && failure.message.contains("2090"), "{why:?}");

    server.show(sign(Ask { client: true, ..LOOPBACK }));
    let (why, _) = refused(&url("verify-full", &root)).await;
    assert!(matches!(why, Why::Certificate(_)), "{why:?}");

    // As PostgreSQL's manual makes one: known by itself, where its file is named.
    let own = self_signed(LOOPBACK);
    let own_file = server.file("own.crt", &own.0);
    server.show(own);
    assert!(open(&url("verify-full", own_file.to_str().unwrap())).await.is_ok());
    let (why, _) = refused(&url("verify-full", &root)).await;
    assert!(matches!(why, Why::UnknownAuthority | Why::AuthorityAsServer), "{why:?}");
    let stale = self_signed(Ask { years: (2020, 2021), ..LOOPBACK });
    let stale_file = server.file("stale.crt", &stale.0);
    server.show(stale);
    let (why, _) = refused(&url("verify-full", stale_file.to_str().unwrap())).await;
    assert!(matches!(why, Why::Expired(_)), "{why:?}");

    server.show(sign(LOOPBACK));
    assert!(open(&url("verify-full", &root)).await.is_ok(), "and a good one is still good");

    // A server without TLS.
    server.set("ssl = off");
    for mode in ["verify-full", "require"] {
        let (why, failure) = refused(&url(mode, &root)).await;
        assert!(matches!(why, Why::NoTls(_)), "{why:?}");
        assert!(failure.hints[0].contains("ssl = on"), "{failure:?}");
    }
    let plain = open(&with_password(&server, "scram_ann", "localhost", "sslmode=prefer")).await;
    assert!(!encrypted(&plain.unwrap()).await);
    let bound = with_password(&server, "scram_ann", "localhost", "channel_binding=require");
    assert!(matches!(refused(&bound).await.0, Why::Unproven(_)));
}

#[tokio::test]
async fn a_client_certificate_logs_in_and_one_of_a_stranger_does_not() {
    let root = SERVER.root();
    let ask = Ask { names: &[], common_name: "cert_ann", client: true, ..LOOPBACK };
    let login = |name: &str, (certificate, key): (String, String)| {
        let certificate = SERVER.file(&format!("{name}.crt"), &certificate);
        let key = SERVER.file(&format!("{name}.key"), &key);
        let parameters = format!(
            "sslmode=verify-full&sslrootcert={root}&sslcert={}&sslkey={}",
            certificate.display(),
            key.display()
        );
        SERVER.url("cert_ann", "localhost", &parameters)
    };
    let link = open(&login("ann", SERVER.authority.sign(ask))).await.unwrap();
    assert!(encrypted(&link).await);

    let eve = SERVER.authority.sign(Ask { common_name: "eve", ..ask });
    let (why, failure) = refused(&login("eve", eve)).await;
    assert!(matches!(why, Why::LoginRefused(_)), "{why:?}");
    assert!(failure.hints[0].contains("cert_ann"), "{failure:?}");

    let foreign = Authority::new("foreign").sign(ask);
    let (why, failure) = refused(&login("foreign", foreign)).await;
    assert!(matches!(why, Why::ClientCertificate(_)), "{why:?}: {failure:?}");

    let none =
        SERVER.url("cert_ann", "localhost", &format!("sslmode=verify-full&sslrootcert={root}"));
    let (why, _) = refused(&none).await;
    assert!(matches!(why, Why::CertificateNeeded), "{why:?}");
}

#[tokio::test]
async fn files_that_cannot_be_used_are_a_matter_of_configuration() {
    let (certificate, key) =
        SERVER.authority.sign(Ask { common_name: "cert_ann", client: true, ..LOOPBACK });
    let certificate = SERVER.file("config.crt", &certificate);
    let key = SERVER.file("config.key", &key);
    let certificate = certificate.display();
    for (parameters, part) in [
        ("sslmode=verify-full&sslrootcert=/nowhere/ca.crt".to_owned(), "/nowhere/ca.crt"),
        (format!("sslmode=verify-ca&sslrootcert={}", key.display()), "no certificate"),
        (format!("sslmode=require&sslcert={certificate}"), "sslkey is missing"),
        (format!("sslmode=require&sslcert={certificate}&sslkey=/nowhere/key"), "/nowhere/key"),
    ] {
        let (why, failure) = refused(&SERVER.url("cert_ann", "localhost", &parameters)).await;
        assert!(matches!(why, Why::File(_)) && failure.kind == Kind::Refused, "{why:?}");
        assert!(failure.message.contains(part), "{failure}");
    }
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let parameters = format!("sslmode=require&sslcert={certificate}&sslkey={}", key.display());
    let (_, failure) = refused(&SERVER.url("cert_ann", "localhost", &parameters)).await;
    assert!(failure.hints[0].starts_with("`chmod 600"), "{failure:?}");
}

#[tokio::test]
async fn the_ways_that_the_weaker_modes_allow_are_those_of_libpq() {
    let open_as = async |user: &str, mode: &str| {
        let url = with_password(&SERVER, user, "localhost", &format!("sslmode={mode}"));
        Ok::<bool, ServerError>(encrypted(&open(&url).await?).await)
    };
    for (user, mode, tls) in [
        ("scram_ann", "disable", false),
        ("scram_ann", "allow", false),
        ("tls_only", "allow", true),
        ("scram_ann", "prefer", true),
        ("plain_only", "prefer", false),
        ("tls_only", "prefer", true),
    ] {
        assert_eq!(open_as(user, mode).await.unwrap(), tls, "{user} {mode}");
    }
    for (user, mode) in [("tls_only", "disable"), ("plain_only", "require")] {
        let url = with_password(&SERVER, user, "localhost", &format!("sslmode={mode}"));
        let (why, failure) = refused(&url).await;
        assert!(matches!(why, Why::NoHbaLine(_)), "{why:?}");
        let asks_for_tls = failure.hints[0].contains("insist on TLS");
        assert_eq!(asks_for_tls, mode == "disable", "{failure:?}");
    }
}

#[tokio::test]
async fn a_running_statement_is_cancelled_by_way_of_tls() {
    let root = SERVER.root();
    let url = with_password(
        &SERVER,
        "tls_only",
        "localhost",
        &format!("sslmode=verify-full&sslrootcert={root}"),
    );
    let link = open(&url).await.unwrap();
    let canceller = link.canceller();
    let sleep = link.client().query("select pg_sleep(60)", &[]);
    let cancel = async {
        // The statement has to be there before it can be stopped.
        let other = open(&url).await.unwrap();
        let ask = "select count(*) from pg_stat_activity where usename = 'tls_only' and wait_event = 'PgSleep'";
        while other.client().query_one(ask, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
        canceller.cancel().await.unwrap();
    };
    let (slept, ()) = tokio::join!(sleep, cancel);
    assert_eq!(ServerError::from(slept.unwrap_err()).state(), Some("57014"));
    let hangup = link.hangup();
    drop(link);
    hangup.wait().await;
}

#[test]
fn there_is_one_provider_of_cryptography_because_rustls_panics_over_two() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"ring\""), "the negative control");
    assert!(!lock.contains("name = \"aws-lc-rs\""), "see `cargo tree -i aws-lc-rs`");
}
