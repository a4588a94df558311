//! `demo`: fills the starter schema with tenants that look like real ones: three kinds of
//! product, names in several scripts, skewed sizes, some near a limit, one suspended.
//!
//! The rows are made by the SQL files in `assets/demo/`, set by set, on a connection of the
//! embedded server's superuser, in one transaction with one entry in the ledger.

use crate::audit::{Entry, Verb};
use crate::console::Console;
use crate::failure::{Failure, Kind};
use crate::postgres::{Endpoint, Isolation, Preamble, Sql, Transaction, connect};
use crate::progress::Progress;
use crate::tenant::directory;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillDemo {
    /// How many tenants.
    pub tenants: u32,
    /// How many rows altogether.
    pub rows: u64,
    /// Whether to empty the schema first.
    pub reset: bool,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoFilled {
    /// Whether rows were filled in; false where there were tenants already.
    pub filled: bool,
    /// How many tenants there are now.
    pub tenants: usize,
}

/// One file of the fill.
struct File(&'static str, &'static str);

/// Names each file once.
macro_rules! files {
    ($($name:literal),+) => {
        &[$(File($name, include_str!(concat!("../../assets/demo/", $name, ".sql")))),+]
    };
}

/// The files in order.
const FILES: &[File] = files![
    "1_prepare",
    "2_words",
    "3_plan",
    "4_tenants",
    "5_work",
    "6_crm",
    "7_ai_runs",
    "8_finish"
];

/// Fills the demo in, unless there are tenants and no reset was asked for.
///
/// # Errors
/// What the server says; nothing was changed then.
pub async fn fill(
    console: &Console,
    superuser: &Endpoint,
    request: FillDemo,
    progress: &Progress,
) -> Result<DemoFilled, Failure> {
    let present = directory::list(console).await?.len();
    if present > 0 && !request.reset {
        return Ok(DemoFilled { filled: false, tenants: present });
    }
    if request.tenants == 0 || request.rows < u64::from(request.tenants) * 80 {
        return Err(Failure::new(
            Kind::Usage,
            "the demo needs at least one tenant and 80 rows a tenant",
        )
        .hint("for example: tenantdesk demo --tenants 25 --rows 25000"));
    }
    let entry = Entry {
        verb: Verb::DemoFill,
        tenant: None,
        object: format!("{} tenants, {} rows", request.tenants, request.rows),
        reason: None,
    };
    let undertaking = console.begin(entry).await?;
    let result = run(superuser, request, progress).await;
    undertaking.finish(result).await?;
    let tenants = directory::list(console).await?.len();
    Ok(DemoFilled { filled: true, tenants })
}

/// Runs the files in one transaction.
async fn run(superuser: &Endpoint, request: FillDemo, progress: &Progress) -> Result<(), Failure> {
    let link = connect(superuser, "tenantdesk demo").await?;
    let (tenants, rows) = (request.tenants.to_string(), request.rows.to_string());
    let settings = [("demo.tenants", tenants.as_str()), ("demo.rows", rows.as_str())];
    let preamble = Preamble { isolation: Isolation::ReadWrite, role: None, settings: &settings };
    let transaction = Transaction::begin(&link, preamble).await?;
    if request.reset {
        progress.enter("emptying the starter schema");
        transaction.batch(&Sql::new(include_str!("../../assets/demo/reset.sql"))).await?;
    }
    progress.plan("files", Some(FILES.len() as u64));
    for (index, File(name, sql)) in FILES.iter().enumerate() {
        progress.checkpoint()?;
        progress.enter(format!("filling {}", name.split_once('_').map_or(*name, |(_, n)| n)));
        transaction.batch(&Sql::new(sql)).await?;
        progress.advance(index as u64 + 1);
    }
    // The fill passes the triggers by, so the counters of the limits are counted anew.
    transaction.query(&Sql::new("select tenantdesk.refill_counters()"), &[]).await?;
    transaction.commit().await?;
    Ok(())
}
