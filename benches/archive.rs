//! Export and restore of the largest tenant, beside the tools of PostgreSQL on the same rows in the
//! same run: `pg_dump -Fc --enable-row-security` and `psql \copy` as the application inside the tenant,
//! and a superuser's `\copy` into the same tables with their keys and indexes. Memory is the peak of the child.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a bench prints, and stops at the first surprise"
)]

mod stage;

use std::path::PathBuf;
use std::time::Duration;

use stage::{Results, SUPERUSER, Stage, middle, size, watched};

const ROUNDS: usize = 3;
const REASON: &str = "measuring the restore";
const MEMORY: u64 = 64 << 20;
/// One table of the tenant: its name, the columns that can be written, its file of rows.
struct Relation {
    name: String,
    columns: String,
    file: PathBuf,
}

/// The tenant, and where its archive lies.
struct Subject {
    stage: Stage,
    tenant: String,
    archive: String,
    relations: Vec<Relation>,
}

fn main() {
    let stage = Stage::filled(
        size("TENANTDESK_BENCH_TENANTS", 200),
        size("TENANTDESK_BENCH_ROWS", 1_000_000),
    );
    let mut results = Results::default();
    let subject = subject(stage);
    export(&subject, &mut results);
    if subject.stage.knows("restore") {
        restore(&subject, &mut results);
    } else {
        println!("this version has no `restore`");
    }
    results.print();
}

/// A first export tells the relations in the order in which they can be written.
fn subject(stage: Stage) -> Subject {
    let tenant = stage.psql(SUPERUSER, "select id from app.tenants where slug = 'acme'");
    let archive = stage.base().join("acme.tenant").to_string_lossy().into_owned();
    stage.run(&["export", "acme", "-o", &archive, "--force"]);
    let inspected: serde_json::Value =
        serde_json::from_str(&stage.run(&["archive", "inspect", &archive, "--json"])).unwrap();
    let relations = inspected["manifest"]["relations"].as_array().unwrap();
    let relations: Vec<Relation> = relations
        .iter()
        .map(|relation| {
            let part = |part: &str| relation[part].as_str().unwrap().to_owned();
            let name = format!("{}.{}", part("schema"), part("table"));
            let columns = stage.psql(SUPERUSER, &format!("select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = '{name}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''"));
            let file = stage.base().join(format!("{name}.copy"));
            Relation { name, columns, file }
        })
        .collect();
    let bytes = std::fs::metadata(&archive).unwrap().len();
    println!("{} relations, archive of {}", relations.len(), stage::mebibytes(bytes));
    Subject { stage, tenant, archive, relations }
}

impl Subject {
    /// A client of the application inside the tenant.
    fn inside(&self, program: &str) -> std::process::Command {
        let mut command = self.stage.client(program, "app_user");
        command.env("PGOPTIONS", format!("-c app.tenant_id={}", self.tenant));
        command
    }

    /// Runs a script with `psql`, in one transaction.
    fn script(&self, mut psql: std::process::Command, lines: &[String]) -> (Duration, u64) {
        let file = self.stage.base().join("lines.sql");
        std::fs::write(&file, lines.join("\n")).unwrap();
        watched(psql.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file))
    }
}

fn export(subject: &Subject, results: &mut Results) {
    let stage = &subject.stage;
    // pg_dump reads partitions and sequences by name, which the application may not; for the reference it may.
    stage.psql(SUPERUSER, "grant select on all sequences in schema app to app_user");
    stage.psql(SUPERUSER, "select format('create policy bench on %1$s for select to app_user using (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid); grant select on %1$s to app_user', inhrelid::regclass) from pg_inherits where inhparent = 'app.activities'::regclass \\gexec");
    let dump = stage.base().join("acme.dump");
    let out: Vec<String> = subject
        .relations
        .iter()
        .map(|r| format!("\\copy (select {} from {}) to '/dev/null'", r.columns, r.name))
        .collect();
    let (mut ours, mut dumps, mut copies, mut verifies, mut peak, mut verify_peak) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), 0, 0);
    for _ in 0..ROUNDS {
        let (took, memory) =
            watched(&mut stage.command(&["export", "acme", "-o", &subject.archive, "--force"]));
        ours.push(took);
        peak = peak.max(memory);
        let mut pg_dump = subject.inside("pg_dump");
        pg_dump
            .args([
                "-Fc",
                "--enable-row-security",
                "--data-only",
                "-t",
                "app.*",
                "-T",
                "app.*_seq",
                "-f",
            ])
            .arg(&dump);
        dumps.push(watched(&mut pg_dump).0);
        copies.push(subject.script(subject.inside("psql"), &out).0);
        let (took, memory) = watched(&mut stage.command(&["archive", "verify", &subject.archive]));
        verifies.push(took);
        verify_peak = verify_peak.max(memory);
    }
    let ours = middle(&mut ours);
    results.beside(
        "export of acme",
        ours,
        ("pg_dump -Fc --enable-row-security", middle(&mut dumps)),
        0.6,
    );
    results.beside("export of acme", ours, ("psql \\copy to /dev/null", middle(&mut copies)), 1.6);
    results.beside("archive verify", middle(&mut verifies), ("export", ours), 1.0);
    results.memory("peak memory of export", peak, MEMORY);
    results.memory("peak memory of verify", verify_peak, MEMORY);
}

/// The arguments of a restore of the subject.
fn restoring(subject: &Subject) -> [&str; 8] {
    ["restore", &subject.archive, "--mode", "missing", "--confirm", "acme", "--reason", REASON]
}

/// Both sides write the same rows into the same tables, which hold the other tenants' rows and lost
/// those of this one just before.
fn restore(subject: &Subject, results: &mut Results) {
    let stage = &subject.stage;
    // The root and people stay, as they do for everybody.
    let own: Vec<&Relation> = subject
        .relations
        .iter()
        .filter(|r| !["app.tenants", "app.app_users"].contains(&r.name.as_str()))
        .collect();
    let each = |line: &dyn Fn(&Relation) -> String| own.iter().map(|r| line(r)).collect::<Vec<_>>();
    let to_files = each(&|r| {
        format!("\\copy (select {} from {}) to '{}'", r.columns, r.name, r.file.display())
    });
    subject.script(subject.inside("psql"), &to_files);
    let load = each(&|r| format!("\\copy {} ({}) from '{}'", r.name, r.columns, r.file.display()));
    // The application deletes children first.
    let mut remove = each(&|r| format!("delete from {};", r.name));
    remove.reverse();
    let empty = || {
        subject.script(subject.inside("psql"), &remove);
        stage.psql(SUPERUSER, "vacuum analyze");
        stage.psql(SUPERUSER, "checkpoint");
    };
    let (mut ours, mut references, mut peak) = (Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS {
        empty();
        references.push(subject.script(stage.client("psql", SUPERUSER), &load).0);
        empty();
        let (took, memory) = watched(&mut stage.command(&restoring(subject)));
        ours.push(took);
        peak = peak.max(memory);
    }
    let ours = middle(&mut ours);
    results.beside(
        "restore of acme into an empty tenant",
        ours,
        ("superuser \\copy into the same tables", middle(&mut references)),
        1.15,
    );
    results.memory("peak memory of restore", peak, MEMORY);
    let (again, memory) = watched(&mut stage.command(&restoring(subject)));
    results.within("restore of acme where nothing is missing", again, None);
    results.memory("its peak memory", memory, MEMORY);
}
