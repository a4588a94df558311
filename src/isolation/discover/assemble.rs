//! Puts the findings together: the proposal with everything that setup shows, and the map, where
//! nothing is open.

use std::collections::{HashMap, HashSet};

use super::application;
use super::choice_of_settings::{self, USUAL_SETTING};
use super::columns::root_columns;
use super::error::DecisionError;
use super::graph::Graph;
use super::metrics;
use super::people;
use super::proposal::{
    Agreement, Candidate, Certainty, ChosenRoot, Finding, Hierarchy, Proposal, Question, Undecided,
    Verdict,
};
use super::propose::Findings;
use crate::isolation::map::{Class, MapError, Relation, RelationMap, Root, Step};
use crate::isolation::template;

/// The decisions make a map that contradicts itself.
fn impossible(error: &MapError) -> DecisionError {
    let decision = "what was decided".to_owned();
    DecisionError::Impossible { decision, why: error.to_string() }
}

/// Puts the proposal together.
///
/// # Errors
/// [`DecisionError`] where decisions make a map that contradicts itself.
pub(super) fn proposal(
    findings: &Findings<'_, '_>,
    found: HashMap<usize, Verdict>,
    undecided: Vec<Undecided>,
) -> Result<Proposal, DecisionError> {
    let decisions = findings.decisions;
    let class: HashMap<usize, Class> =
        found.iter().map(|(number, verdict)| (*number, verdict.relation.class)).collect();
    let agreements = agreements(findings, &found);
    let chosen = choice_of_settings::choose(findings);
    let members = decisions.members.clone().map(decided).or_else(|| {
        people::members_found(findings.graph, findings.people, findings.keys)
            .filter(|_| findings.people.members.and_then(|m| class.get(&m)) == Some(&Class::Keyed))
    });
    let users = decisions.users.clone().map(decided).or_else(|| {
        people::users_found(findings.graph, findings.people).filter(|_| {
            findings.people.users.and_then(|u| class.get(&u)).is_some_and(|c| *c != Class::Excluded)
        })
    });
    let metrics = decisions.metrics.clone().unwrap_or_else(|| {
        let members = members.as_ref().map(|members| &members.value);
        metrics::propose(findings.graph, findings.keys, members, |number| {
            class.get(&number) == Some(&Class::Keyed)
        })
    });
    let application_roles = match &decisions.hints.application_role {
        Some(role) => vec![given(role)],
        None => application::roles(findings.catalog),
    };
    let application = application_roles.first().map(|role| role.value.as_str());
    let fixed_settings = choice_of_settings::fixed(decisions, &chosen, application);
    let mut verdicts: Vec<Verdict> = found.into_values().chain(outside(findings)).collect();
    verdicts.sort_by(|a, b| a.relation.name.cmp(&b.relation.name));
    let mut proposal = Proposal {
        map: None,
        root: findings.choice.root.clone(),
        root_candidates: findings.choice.candidates.clone(),
        hierarchy: hierarchy(findings),
        keys: super::keys::spellings(findings.graph, findings.keys),
        settings: chosen.tenant,
        member_settings: chosen.member,
        role_settings: chosen.role,
        email_settings: chosen.email,
        fixed_settings,
        application_roles,
        members,
        users,
        metrics,
        verdicts,
        undecided,
        questions: Vec::new(),
        listed: findings.scope.listed.clone(),
        agreements,
        remarks: chosen.remarks,
    };
    proposal.questions = questions(&proposal);
    if proposal.undecided.is_empty() && proposal.questions.is_empty() {
        let map = map(findings, &proposal);
        match map.check() {
            Ok(()) => proposal.map = Some(map),
            Err(error) => return Err(impossible(&error)),
        }
    }
    Ok(proposal)
}

/// What a person decided, as a finding.
fn decided<T>(value: T) -> Finding<T> {
    Finding { value, sure: Certainty::Certain, why: "a person decided it".to_owned() }
}

/// An answer that a flag gave.
pub(super) fn given(value: &str) -> Candidate {
    Candidate {
        value: value.to_owned(),
        score: 100,
        sure: Certainty::Certain,
        reasons: vec!["a person decided it".to_owned()],
    }
}

/// Relations that are excluded whatever they hold: of extensions, of other products.
fn outside<'f>(findings: &'f Findings<'_, '_>) -> impl Iterator<Item = Verdict> + 'f {
    let all = findings.scope.excluded.iter().chain(&findings.scope.foreign);
    all.map(|(name, reason)| Verdict {
        relation: Relation {
            reason: Some(reason.clone()),
            ..Relation::new(*name, Class::Excluded)
        },
        sure: Certainty::Certain,
        why: reason.clone(),
        remarks: Vec::new(),
        other_paths: Vec::new(),
        key: None,
        decided: false,
    })
}

/// The root's reference to itself.
fn hierarchy(findings: &Findings<'_, '_>) -> Option<Hierarchy> {
    let root = findings.choice.table?;
    let edge = findings.graph.parents(root).find(|edge| edge.to == root)?;
    let column = edge.columns.join(", ");
    let why = format!(
        "tenants form a tree through {column}; each is a tenant of its own, and none sees the rows of those below it"
    );
    Some(Hierarchy { column, why })
}

/// The ways of derived relations that should agree.
fn agreements(findings: &Findings<'_, '_>, found: &HashMap<usize, Verdict>) -> Vec<Agreement> {
    let key_at = |path: &[Step]| -> Option<String> {
        let last = path.last()?;
        let number = findings.graph.numbers.get(last.references.as_str())?;
        match &findings.choice.root {
            ChosenRoot::Table { key, .. } if findings.choice.table == Some(*number) => {
                Some(key.clone())
            }
            _ => findings.keys.of(*number).map(|key| key.column.clone()),
        }
    };
    let mut list: Vec<Agreement> = found
        .values()
        .filter(|verdict| !verdict.relation.path.is_empty())
        .flat_map(|verdict| verdict.other_paths.iter().map(move |other| (verdict, other)))
        .filter_map(|(verdict, other)| {
            Some(Agreement {
                relation: verdict.relation.name.clone(),
                taken: verdict.relation.path.clone(),
                taken_key: key_at(&verdict.relation.path)?,
                other: other.clone(),
                other_key: key_at(other)?,
            })
        })
        .collect();
    list.sort_by(|a, b| a.relation.cmp(&b.relation));
    list
}

/// What has to be said before there is a map.
fn questions(proposal: &Proposal) -> Vec<Question> {
    let mut questions = Vec::new();
    if let ChosenRoot::Undecided { why } = &proposal.root {
        let commands = proposal.root_candidates.iter().take(5).map(|candidate| {
            format!("tenantdesk setup --tenant-root {}", super::command::shell(&candidate.table))
        });
        let without = "tenantdesk setup --tenant-root '' --tenant-key COLUMN".to_owned();
        questions.push(Question {
            about: "tenant root".to_owned(),
            why: why.clone(),
            commands: commands.chain([without]).collect(),
        });
    }
    if proposal.application_roles.is_empty() {
        questions.push(Question {
            about: "application role".to_owned(),
            why: "no role may write most of the tables".to_owned(),
            commands: vec!["tenantdesk setup --app-role ROLE".to_owned()],
        });
    }
    let keyed = proposal.verdicts.iter().any(|v| v.relation.class == Class::Keyed);
    if questions.is_empty() && !keyed {
        questions.push(Question {
            about: "tenant key".to_owned(),
            why: "no table has a tenant key".to_owned(),
            commands: vec!["tenantdesk setup --tenant-key COLUMN".to_owned()],
        });
    }
    questions
}

/// The map of a proposal in which nothing is open.
fn map(findings: &Findings<'_, '_>, proposal: &Proposal) -> RelationMap {
    let foreign: HashSet<&str> = findings.scope.foreign.iter().map(|(name, _)| *name).collect();
    let first = |list: &[Candidate]| list.first().map(|candidate| candidate.value.clone());
    let relations: Vec<Relation> = proposal
        .verdicts
        .iter()
        .filter(|verdict| !foreign.contains(verdict.relation.name.as_str()))
        .map(|verdict| verdict.relation.clone())
        .collect();
    let mut map = RelationMap {
        model: "shared".to_owned(),
        tenant_setting: first(&proposal.settings).unwrap_or_else(|| USUAL_SETTING.to_owned()),
        member_setting: first(&proposal.member_settings),
        role_setting: first(&proposal.role_settings),
        email_setting: first(&proposal.email_settings),
        settings: proposal.fixed_settings.clone(),
        application_role: first(&proposal.application_roles).unwrap_or_default(),
        search_path: search_path(findings.graph, proposal),
        root: root(findings),
        members: proposal.members.as_ref().map(|members| members.value.clone()),
        users: proposal.users.as_ref().map(|users| users.value.clone()),
        provision: findings.decisions.provision.clone(),
        relations,
        metrics: proposal.metrics.clone(),
    };
    if map.provision.is_none() {
        map.provision = template::propose(&map, findings.catalog).provision;
    }
    map
}

/// The root with its columns.
fn root(findings: &Findings<'_, '_>) -> Root {
    if let Some(root) = &findings.decisions.root {
        return root.clone();
    }
    match (&findings.choice.root, findings.choice.table) {
        (ChosenRoot::Table { table, key, .. }, Some(number)) => {
            root_columns(findings.graph.tables[number].relation, table, key)
        }
        _ => Root::default(),
    }
}

/// The schemas of what is mapped, those with the most tables first.
fn search_path(graph: &Graph<'_>, proposal: &Proposal) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mapped = proposal.verdicts.iter().filter(|v| v.relation.class != Class::Excluded);
    let root = match &proposal.root {
        ChosenRoot::Table { table, .. } => Some(table),
        _ => None,
    };
    for name in mapped.map(|verdict| &verdict.relation.name).chain(root) {
        if let Some(number) = graph.numbers.get(name.as_str()) {
            *counts.entry(graph.tables[*number].relation.name.schema.as_str()).or_default() += 1;
        }
    }
    let mut schemas: Vec<(&str, usize)> = counts.into_iter().collect();
    schemas.sort_by_key(|(schema, count)| (std::cmp::Reverse(*count), *schema));
    schemas.into_iter().map(|(schema, _)| schema.to_owned()).collect()
}
