//! A server with TLS on a TCP port of its own, with authorities and certificates made for it.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use tempfile::TempDir;

use super::cluster::{Cluster, SUPERUSER};
use super::watcher::Account;

/// Who may come in, and how. `local` is for the harness alone.
const HBA: &str = "local all all trust\n\
    hostssl all cert_ann all cert\n\
    hostssl desk all all scram-sha-256\n\
    hostssl all tls_only all scram-sha-256\n\
    hostnossl all plain_only all scram-sha-256\n\
    host all stranger 203.0.113.0/24 scram-sha-256\n\
    host all +people all scram-sha-256\n\
    host all trusted all trust\n\
    host all md5_bob all md5\n";

/// An authority that signs certificates.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What a certificate is to be like.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub names: &'a [&'a str],
    pub common_name: &'a str,
    pub years: (i32, i32),
    pub client: bool,
}

/// A certificate for the loopback, in date.
pub const LOOPBACK: Ask<'static> = Ask {
    names: &["localhost", "127.0.0.1", "::1"],
    common_name: "localhost",
    years: (2020, 2090),
    client: false,
};

fn params(ask: Ask<'_>) -> CertificateParams {
    let names: Vec<String> = ask.names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, ask.common_name);
    params.not_before = date_time_ymd(ask.years.0, 1, 1);
    params.not_after = date_time_ymd(ask.years.1, 1, 1);
    params
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = params(Ask { names: &[], common_name: name, ..LOOPBACK });
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate and its key.
    pub fn sign(&self, ask: Ask<'_>) -> (String, String) {
        let mut params = params(ask);
        params.extended_key_usages = vec![if ask.client {
            ExtendedKeyUsagePurpose::ClientAuth
        } else {
            ExtendedKeyUsagePurpose::ServerAuth
        }];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A certificate that signs itself and may sign others, as `openssl req -x509` makes one.
pub fn self_signed(ask: Ask<'_>) -> (String, String) {
    let mut params = params(ask);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// The server, its authority, and a directory for files of the client.
pub struct TlsServer {
    pub cluster: Cluster,
    pub authority: Authority,
    account: Option<Account>,
    files: TempDir,
}

impl TlsServer {
    /// Starts one that shows `LOOPBACK`, with the logins that `HBA` speaks of.
    pub fn start() -> Self {
        let authority = Authority::new("tenantdesk test authority");
        // Free at this moment; nothing else of the tests asks for a given port.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut owner = None;
        let cluster = Cluster::prepared(free, |data, account| {
            owner = account;
            let (certificate, key) = authority.sign(LOOPBACK);
            write_as(account, &data.join("server.crt"), &certificate);
            write_as(account, &data.join("server.key"), &key);
            write_as(account, &data.join("clients.crt"), authority.pem());
            write_as(account, &data.join("pg_hba.conf"), HBA);
            let mut text = std::fs::read_to_string(data.join("postgresql.conf")).unwrap();
            text.push_str(
                "listen_addresses = '127.0.0.1'\nssl = on\nssl_ca_file = 'clients.crt'\n",
            );
            write_as(account, &data.join("postgresql.conf"), &text);
        });
        let mut roles = "create role people; ".to_owned();
        for role in ["tls_only", "plain_only", "scram_ann", "trusted", "cert_ann", "stranger"] {
            let member = if role == "scram_ann" { " in role people" } else { "" };
            write!(roles, "create role {role} login password 'c4n4ry:{role}'{member}; ").unwrap();
        }
        roles.push_str(
            "set password_encryption = 'md5'; create role md5_bob login password 'c4n4ry:md5_bob';",
        );
        cluster.psql("postgres", SUPERUSER, &roles).rows();
        let files = tempfile::tempdir().unwrap();
        let server = Self { cluster, authority, account: owner, files };
        // Once: other tests may be reading it.
        server.file("root.crt", server.authority.pem());
        server
    }

    /// Has the server show another certificate to whoever comes from now on.
    pub fn show(&self, (certificate, key): (String, String)) {
        let data = self.cluster.base().join("data");
        write_as(self.account, &data.join("server.crt"), &certificate);
        write_as(self.account, &data.join("server.key"), &key);
        self.set("log_min_messages = warning");
    }

    /// Changes a setting, and waits until the server has read all of its configuration anew.
    pub fn set(&self, setting: &str) {
        let ask = "select pg_conf_load_time()";
        let before = self.cluster.psql("postgres", SUPERUSER, ask);
        let sql = format!("alter system set {setting}; select pg_reload_conf()");
        for statement in sql.split("; ") {
            self.cluster.psql("postgres", SUPERUSER, statement).rows();
        }
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while self.cluster.psql("postgres", SUPERUSER, ask).rows() == before.rows() {
            assert!(std::time::Instant::now() < deadline, "the configuration is not read");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// A file of the client that only its owner may read.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.files.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// The file of the authority that signed what the server shows.
    pub fn root(&self) -> String {
        self.files.path().join("root.crt").to_str().unwrap().to_owned()
    }

    /// An address without a password.
    pub fn url(&self, user: &str, host: &str, parameters: &str) -> String {
        let port = self.cluster.port;
        format!("postgresql://{user}@{host}:{port}/postgres?{parameters}")
    }
}

fn write_as(account: Option<Account>, path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    Account::own(account, path);
}
