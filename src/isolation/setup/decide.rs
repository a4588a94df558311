//! `tables set` and `tables explain`: a person decides about one relation, and is told why it has the
//! class that it has. A decision is kept in the control schema and takes effect with the next setup.

use serde::Serialize;

use super::agreement::{Disagreement, disagreements};
use super::desk::SetupDesk;
use super::drift::told;
use super::error::SetupError;
use super::prepare::{Found, Request, propose};
use crate::failure::Failure;
use crate::identity::RequestId;
use crate::isolation::discover::{Decisions, Listed, Proposal, Undecided, Verdict, discover};
use crate::isolation::guard::install_control;
use crate::isolation::map::{Class, Relation, Step, Via, Way};
use crate::postgres::{Ident, Isolation, Preamble, RelationName, Sql, Transaction};

/// What somebody decides about a relation, in the words of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The relation; the schema may be left out where it is `public`.
    pub relation: String,
    /// Its class; none leaves it to discovery again.
    pub class: Option<Class>,
    /// Keyed: the key.
    pub key: Option<String>,
    /// Keyed: rows without a key are everybody's.
    pub shared: bool,
    /// Derived: `column>schema.table.column`, steps separated by `/`, several columns by `,`.
    pub path: Option<String>,
    /// Derived: `type_column=Word:column>schema.table.column`, once for each word.
    pub ways: Vec<String>,
    /// Linked: `schema.table.column`, and after `>` the column here where it is not the key.
    pub via: Option<String>,
    /// Excluded: why.
    pub reason: Option<String>,
}

/// A decision that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decided {
    /// The relation, plain name.
    pub relation: String,
    /// What was thought of it before.
    pub before: String,
    /// What it is now.
    pub now: String,
    /// What speaks against it.
    pub warning: Option<String>,
    /// How many relations are still undecided.
    pub undecided: usize,
}

/// All about one relation.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// The verdict, where it has a class.
    pub verdict: Option<Verdict>,
    /// Why it has none, and the commands that give it one.
    pub undecided: Option<Undecided>,
    /// What it is where it holds no rows of its own.
    pub listed: Option<Listed>,
    /// Rows whose ways to a tenant do not agree.
    pub disagreements: Vec<Disagreement>,
}

/// Keeps a decision.
///
/// # Errors
/// [`SetupError`] where it cannot be read, [`crate::isolation::discover::DecisionError`] where it
/// contradicts the catalogs, or what the server says; nothing was changed then.
pub async fn decide(
    desk: &SetupDesk,
    decision: &Decision,
    id: RequestId,
) -> Result<Decided, Failure> {
    let mut attempts = 1;
    loop {
        match decide_once(desk, decision, id).await {
            // Somebody else decided at the same moment: this one is made from what he left.
            Err(failure) if attempts < 10 && lost_a_race(&failure) => attempts += 1,
            decided => return decided,
        }
    }
}

/// Whether the same once more would do.
fn lost_a_race(failure: &Failure) -> bool {
    failure.sql.as_ref().is_some_and(|place| place.state == "40001")
}

/// One attempt.
async fn decide_once(
    desk: &SetupDesk,
    decision: &Decision,
    id: RequestId,
) -> Result<Decided, Failure> {
    let Found { standing, catalog, proposal, .. } = propose(desk, &Request::default()).await?;
    let name = find(&proposal, &decision.relation)
        .or_else(|| {
            let present = catalog.relations.contains_key(&decision.relation);
            present.then(|| decision.relation.clone())
        })
        .ok_or_else(|| SetupError::NoRelation(decision.relation.clone()))?;
    let before = now(&proposal, &name);
    let mut decisions = standing.decisions.clone();
    decisions.relations.retain(|relation| relation.name != name);
    if let Some(class) = decision.class {
        decisions.relations.push(relation(&name, class, decision)?);
    }
    let next = discover(&catalog, &decisions)?;
    // A decision that no map can hold would stop every later one.
    let broken = |proposal: &Proposal| proposal.questions.iter().any(|q| q.about == "map");
    if broken(&next) && !broken(&proposal) {
        return Err(SetupError::Questions(next.questions).into());
    }
    if !standing.controlled {
        install_control(desk.link()).await?;
    }
    keep(desk, &decisions, standing.decided.as_ref(), (&name, id)).await?;
    let undecided = next.undecided.len();
    let class = |name: &str| {
        next.verdicts.iter().find(|v| v.relation.name == name).map(|v| v.relation.class)
    };
    let tied = decision.class == Some(Class::Global)
        && catalog.foreign_keys.iter().any(|key| {
            key.from == name
                && matches!(class(&key.to), Some(Class::Root | Class::Keyed | Class::Derived))
        });
    let warning = tied.then(|| {
        "it points to tables of tenants, and as global its rows are shown to every tenant"
            .to_owned()
    });
    Ok(Decided { warning, now: now(&next, &name), relation: name, before, undecided })
}

/// Writes the decisions, by the function that records it.
async fn keep(
    desk: &SetupDesk,
    decisions: &Decisions,
    based_on: Option<&serde_json::Value>,
    (object, id): (&str, RequestId),
) -> Result<(), Failure> {
    let document = serde_json::to_value(decisions)
        .map_err(|error| crate::isolation::map::MapError::Syntax(error.to_string()))?;
    let role = Ident::new("tenantdesk_operator");
    let preamble = Preamble { isolation: Isolation::ReadWrite, role: Some(&role), settings: &[] };
    let transaction = Transaction::begin(desk.link(), preamble).await?;
    let call = Sql::new("select tenantdesk.decide($1, $2, $3, $4)");
    transaction.query(&call, &[&document, &based_on, &object, &id.as_uuid()]).await?;
    transaction.commit().await?;
    Ok(())
}

/// Leaves objects open that setup reports, for a reason that stands in the ledger.
///
/// # Errors
/// What the server says: an object that setup does not report, or a login that does not manage the
/// installation.
pub async fn except(
    desk: &SetupDesk,
    objects: &[String],
    reason: &str,
    id: RequestId,
) -> Result<(), Failure> {
    let role = Ident::new("tenantdesk_operator");
    let preamble = Preamble { isolation: Isolation::ReadWrite, role: Some(&role), settings: &[] };
    let transaction = Transaction::begin(desk.link(), preamble).await?;
    let call = Sql::new("select tenantdesk.except_object($1, $2, $3)");
    for object in objects {
        transaction.query(&call, &[object, &reason, &id.as_uuid()]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Says all about one relation.
///
/// # Errors
/// Where there is none of that name, or what the server says.
pub async fn explain(desk: &SetupDesk, word: &str) -> Result<Explained, Failure> {
    let Found { proposal, .. } = propose(desk, &Request::default()).await?;
    let name = find(&proposal, word).ok_or_else(|| SetupError::NoRelation(word.to_owned()))?;
    let agreements: Vec<_> = proposal
        .agreements
        .iter()
        .filter(|agreement| agreement.relation == name)
        .cloned()
        .collect();
    let disagreements = disagreements(desk, &agreements).await?;
    Ok(Explained {
        verdict: proposal.verdicts.into_iter().find(|verdict| verdict.relation.name == name),
        undecided: proposal.undecided.into_iter().find(|one| one.relation == name),
        listed: proposal.listed.into_iter().find(|one| one.relation == name),
        disagreements,
    })
}

/// The relation that a word means: its name, or its name without the schema where that is unique.
fn find(proposal: &Proposal, word: &str) -> Option<String> {
    let names: Vec<&str> = proposal
        .verdicts
        .iter()
        .map(|verdict| verdict.relation.name.as_str())
        .chain(proposal.undecided.iter().map(|one| one.relation.as_str()))
        .chain(proposal.listed.iter().map(|one| one.relation.as_str()))
        .collect();
    if let Some(name) = names.iter().find(|name| **name == word) {
        return Some((*name).to_owned());
    }
    let bare = |name: &str| RelationName::parse(name).map(|name| name.name);
    let meant = word.trim_matches('"');
    let mut found = names.iter().filter(|name| {
        name.replace('"', "") == word.replace('"', "")
            || bare(name).is_some_and(|bare| bare.as_str() == meant)
    });
    let first = found.next()?;
    found.next().is_none().then(|| (*first).to_owned())
}

/// What is thought of a relation, in a few words.
fn now(proposal: &Proposal, name: &str) -> String {
    let verdict = proposal.verdicts.iter().find(|verdict| verdict.relation.name == name);
    verdict.map_or_else(|| "undecided".to_owned(), |verdict| told(&verdict.relation))
}

/// The relation that a decision makes.
fn relation(name: &str, class: Class, decision: &Decision) -> Result<Relation, SetupError> {
    let mut relation = Relation::new(name, class);
    relation.key.clone_from(&decision.key);
    relation.shared = decision.shared;
    relation.reason.clone_from(&decision.reason);
    if let Some(path) = &decision.path {
        relation.path = steps(path)?;
    }
    for way in &decision.ways {
        relation.ways.push(read_way(way)?);
    }
    if let Some(via) = &decision.via {
        relation.via = Some(read_via(via)?);
    }
    Ok(relation)
}

/// The form of a path.
const PATH: &str = "column>schema.table.column, with `/` between steps and `,` between columns";

/// Reads a path.
fn steps(text: &str) -> Result<Vec<Step>, SetupError> {
    text.split('/').map(step).collect()
}

/// Reads one step.
fn step(text: &str) -> Result<Step, SetupError> {
    let wrong = || SetupError::Form { given: text.to_owned(), form: PATH };
    let (here, there) = text.split_once('>').ok_or_else(wrong)?;
    let (parent, referenced) = relation_and_columns(there.trim()).ok_or_else(wrong)?;
    Ok(Step { columns: columns(here), references: parent, referenced })
}

/// Reads one way of a polymorphic pair.
fn read_way(text: &str) -> Result<Way, SetupError> {
    let form = "type_column=Word:column>schema.table.column";
    let wrong = || SetupError::Form { given: text.to_owned(), form };
    let (column, rest) = text.split_once('=').ok_or_else(wrong)?;
    // A class name has colons of its own (`Billing::Invoice`): the last one ends the word.
    let arrow = rest.find('>').ok_or_else(wrong)?;
    let colon = rest[..arrow].rfind(':').ok_or_else(wrong)?;
    let (word, path) = (&rest[..colon], &rest[colon + 1..]);
    Ok(Way { column: column.trim().to_owned(), word: word.to_owned(), path: steps(path)? })
}

/// Reads what links a relation.
fn read_via(text: &str) -> Result<Via, SetupError> {
    let form = "schema.table.column, and `>column` where it points to another column than `id`";
    let wrong = || SetupError::Form { given: text.to_owned(), form };
    let (link, own) = text.split_once('>').unwrap_or((text, "id"));
    let (table, columns) = relation_and_columns(link.trim()).ok_or_else(wrong)?;
    let [column] = &columns[..] else { return Err(wrong()) };
    Ok(Via { table, column: column.clone(), own: own.trim().to_owned() })
}

/// Names separated by commas; double quotes are left out.
fn columns(text: &str) -> Vec<String> {
    text.split(',').map(|name| name.trim().trim_matches('"').to_owned()).collect()
}

/// `schema.table.column,column`, each part in double quotes where it needs them.
fn relation_and_columns(text: &str) -> Option<(String, Vec<String>)> {
    // The last point outside of quotes parts the columns from the table.
    let mut quoted = false;
    let point = text
        .char_indices()
        .filter(|(_, c)| {
            quoted ^= *c == '"';
            *c == '.' && !quoted
        })
        .map(|(index, _)| index)
        .last()?;
    let name = RelationName::parse(text[..point].trim())?;
    let columns = columns(&text[point + 1..]);
    columns.iter().all(|column| !column.is_empty()).then(|| (name.plain(), columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_ways_and_links_are_read() {
        let path = steps("order_id>public.orders.id/a,b>\"My App\".\"T.x\".c,d").unwrap();
        assert_eq!(path[0].columns, ["order_id"]);
        assert_eq!(path[0].references, "public.orders");
        assert_eq!(path[1].references, "\"My App\".\"T.x\"");
        assert_eq!(path[1].referenced, ["c", "d"]);
        let way = read_way("owner_type=Billing::Invoice:owner_id>public.invoices.id").unwrap();
        assert_eq!((way.column.as_str(), way.word.as_str()), ("owner_type", "Billing::Invoice"));
        assert_eq!(way.path[0].references, "public.invoices");
        let via = read_via("public.memberships.user_id").unwrap();
        assert_eq!((via.table.as_str(), via.own.as_str()), ("public.memberships", "id"));
        assert_eq!(read_via("public.m.u>uid").unwrap().own, "uid");
        for wrong in ["order_id", "order_id>orders", "x>", ">public.orders.id.", "x>.orders.id"] {
            assert!(steps(wrong).is_err(), "{wrong}");
        }
    }
}
