//! Which of the settings that policies read names the tenant, and which the member: by the columns they
//! are compared with, and by their names. A setting that holds a document (the claims of a token) names
//! nobody by itself and is told apart.

use std::collections::{BTreeMap, HashMap};

use super::assemble::given;
use super::claims::{claims, is_role};
use super::decisions::Decisions;
use super::names::words;
use super::proposal::{Candidate, Certainty};
use super::propose::Findings;
use super::vocabulary::{any, tenant_weight};

/// The setting where no policy reads one.
pub(super) const USUAL_SETTING: &str = "app.tenant_id";

/// The settings, the likeliest first.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    /// Of the tenant.
    pub(super) tenant: Vec<Candidate>,
    /// Of the member.
    pub(super) member: Vec<Candidate>,
    /// Of the member's role.
    pub(super) role: Vec<Candidate>,
    /// Of the member's e-mail address.
    pub(super) email: Vec<Candidate>,
    /// Those that hold the database role of the application.
    pub(super) database_role: Vec<String>,
    /// What a person should know.
    pub(super) remarks: Vec<String>,
}

/// How often a setting is read.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    /// At all.
    times: u32,
    /// Beside a tenant key.
    keys: u32,
}

/// Chooses them.
pub(super) fn choose(findings: &Findings<'_, '_>) -> Chosen {
    let mut chosen = Chosen::default();
    let mut documents = Vec::new();
    for (setting, count) in counted(findings) {
        let named = words(setting);
        let candidate = candidate(setting, &named, count);
        let person = any(&named, "user member person actor uid sub employee");
        // `request.jwt.claim.sub` is a claim by itself, `request.jwt.claims` all of them.
        let claim = setting.strip_prefix("request.jwt.claim.");
        let role = is_role(&named) && !any(&named, "claim jwt");
        let document = any(&named, "claim jwt role") && claim.is_none() && !role;
        if claim.is_some_and(|claim| ["role", "aud"].contains(&claim)) {
            chosen.database_role.push(setting.to_owned());
        } else if role {
            // A word for a person or a tenant beside it says whose role it is.
            let whose = person || is_tenantish(&named);
            let sure = if whose { Certainty::Likely } else { Certainty::Guess };
            chosen.role.push(Candidate { sure, ..candidate });
        } else if named.last().is_some_and(|word| word == "email") && !document {
            chosen.email.push(candidate);
        } else if document {
            documents.push(Candidate { sure: Certainty::Guess, ..candidate });
        } else if person && !(count.keys * 2 > count.times && is_tenantish(&named)) {
            chosen.member.push(candidate);
        } else {
            chosen.tenant.push(candidate);
        }
    }
    let people = [&mut chosen.member, &mut chosen.role, &mut chosen.email];
    for list in people.into_iter().chain([&mut chosen.tenant, &mut documents]) {
        list.sort_by(|a, b| (b.score, &a.value).cmp(&(a.score, &b.value)));
    }
    if let Some(document) = documents.first() {
        read_claims(findings, document, &mut chosen);
    }
    if let Some(setting) = &findings.decisions.hints.setting {
        chosen.tenant = vec![given(setting)];
    } else if chosen.tenant.is_empty() {
        chosen.tenant.push(Candidate {
            value: USUAL_SETTING.to_owned(),
            score: 0,
            sure: Certainty::Guess,
            reasons: vec!["no policy reads a setting; this is the usual name".to_owned()],
        });
    }
    chosen.tenant.extend(documents);
    let decisions = findings.decisions;
    for (decided, list) in [
        (&decisions.member_setting, &mut chosen.member),
        (&decisions.role_setting, &mut chosen.role),
        (&decisions.email_setting, &mut chosen.email),
    ] {
        if let Some(setting) = decided {
            *list = vec![given(setting)];
        }
    }
    chosen
}

/// Settings that are the same for everybody: what was decided, else the application's own role where
/// policies read which database role a request came with.
pub(super) fn fixed(
    decisions: &Decisions,
    chosen: &Chosen,
    application: Option<&str>,
) -> BTreeMap<String, String> {
    if let Some(decided) = &decisions.settings {
        return decided.clone();
    }
    let Some(role) = application else { return BTreeMap::new() };
    let taken = [&chosen.tenant, &chosen.member, &chosen.role, &chosen.email];
    let taken = |name: &&String| {
        taken.iter().any(|list| list.first().is_some_and(|first| first.value == **name))
    };
    let free = chosen.database_role.iter().filter(|name| !taken(name));
    free.map(|name| (name.clone(), role.to_owned())).collect()
}

/// What a setting that holds a document says: the claim of the tenant, and of the member.
fn read_claims(findings: &Findings<'_, '_>, document: &Candidate, chosen: &mut Chosen) {
    let tables = 0..findings.graph.tables.len();
    let mut keys: Vec<&str> = tables
        .filter_map(|number| findings.keys.of(number))
        .map(|key| key.column.as_str())
        .collect();
    keys.dedup();
    let found = claims(findings.catalog, &keys);
    let claim = |claim: &String| Candidate {
        value: format!("{}#{claim}", document.value),
        sure: Certainty::Likely,
        reasons: vec![format!("policies read the claim {claim} of {}", document.value)],
        ..document.clone()
    };
    match &found.tenant {
        Some(tenant) if chosen.tenant.is_empty() => chosen.tenant.push(claim(tenant)),
        Some(_) => {}
        None => chosen.remarks.push(format!(
            "policies read {}, which holds a document, and no claim of it names the tenant",
            document.value
        )),
    }
    for (found, list) in [
        (&found.member, &mut chosen.member),
        (&found.role, &mut chosen.role),
        (&found.email, &mut chosen.email),
    ] {
        if let (Some(found), true) = (found, list.is_empty()) {
            list.push(claim(found));
        }
    }
    let named = |claim: &String| format!("{}#{claim}", document.value);
    chosen.database_role.extend(found.database_role.iter().map(named));
}

/// Each setting with how often it is read.
fn counted<'f>(findings: &'f Findings<'_, '_>) -> HashMap<&'f str, Count> {
    let mut counted: HashMap<&str, Count> = HashMap::new();
    for reading in &findings.readings.all {
        let Some(setting) = &reading.setting else { continue };
        let number = findings.graph.numbers.get(reading.table.as_str()).copied();
        let column = reading.column.as_deref();
        let of_key = number.and_then(|number| findings.keys.of(number));
        let is_key = column.is_some() && of_key.map(|key| key.column.as_str()) == column
            || number.is_some() && number == findings.choice.table;
        let count = counted.entry(setting).or_default();
        count.times += 1;
        count.keys += u32::from(is_key);
    }
    counted
}

/// A setting as a candidate.
fn candidate(setting: &str, named: &[String], count: Count) -> Candidate {
    let Count { times, keys } = count;
    Candidate {
        value: setting.to_owned(),
        score: times + keys * 3 + if is_tenantish(named) { 20 } else { 0 },
        sure: if keys > 0 { Certainty::Certain } else { Certainty::Likely },
        reasons: vec![format!(
            "policies and defaults read it {times} times, {keys} beside a tenant key"
        )],
    }
}

/// Whether one of the words is one for a tenant.
fn is_tenantish(named: &[String]) -> bool {
    named.iter().any(|word| tenant_weight(std::slice::from_ref(word)) >= 40)
}
