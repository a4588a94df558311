//! The people: which table holds users, which ties them to tenants, and the columns of both that say
//! e-mail, name, role and state.

use super::columns::{named, state_word};
use super::graph::{Graph, Table, family};
use super::keys::Keys;
use super::names::words;
use super::proposal::{Certainty, Finding};
use super::vocabulary::{any, is_in, is_mention, is_person};
use crate::catalog::{CatalogRelation, Column};
use crate::isolation::map::{Members, Users};

/// Columns that only people have.
const SECRETS: &str = "password password_hash encrypted_password hashed_password password_digest passwordhash \
    hashedpassword passwd last_login last_sign_in_at last_login_at lastlogin is_superuser \
    email_verified";
/// Words of tables that stand beside people and hold none.
const ABOUT_PEOPLE: &str = "session token setting preference notification log event audit invite invitation oauth \
    password reset favorite device key request history activity read view assignee assignment \
    subscription follower watcher reaction vote bookmark draft comment message credential \
    attribute import export card payment verification mention filter stat response limit";
/// Words of tables that tie people to tenants.
const MEMBERSHIP_WORDS: &str = "membership member seat collaborator join staff";

/// Whether the rows of a table look like people who log in.
#[must_use]
pub(super) fn is_user_like(table: &Table<'_>) -> bool {
    person_score(table) >= 60
}

/// How much a table looks like people.
fn person_score(table: &Table<'_>) -> u32 {
    let relation = table.relation;
    let has_email = email(relation).is_some();
    let secret = |c: &Column| {
        let lower = c.name.to_lowercase();
        is_in(SECRETS, &lower) || is_in(SECRETS, &snake(&c.name))
    };
    let secrets = relation.columns.iter().any(secret);
    let last = table.words.last().map(String::as_str).unwrap_or_default();
    let mut score = match (last, table.words.len()) {
        ("user", 1) => 80,
        ("user", 2) if any(&table.words, "app auth application system admin site") => 65,
        ("person" | "people", 1) => 55,
        _ if is_person(&table.words) && table.words.len() == 1 => 40,
        _ if is_person(&table.words) => 15,
        _ => 0,
    };
    if has_email {
        score += 15;
    }
    if secrets {
        score += 30;
    }
    // An address and a password make a person, whatever the table is called.
    if has_email && secrets && !any(&table.words, "invite invitation token setting config server") {
        score += 20;
    }
    score
}

/// A name in snake case.
fn snake(name: &str) -> String {
    words(name).join("_")
}

/// The column of the e-mail address.
fn email(relation: &CatalogRelation) -> Option<&Column> {
    let text = |column: &&Column| family(column) == "text" || column.type_name.ends_with("citext");
    let by = |wanted: &str| {
        relation.columns.iter().filter(text).find(|c| is_in(wanted, &snake(&c.name)))
    };
    by("email")
        .or_else(|| by("email_address primary_email e_mail mail user_email login_email"))
        .or_else(|| by("delivery_email contact_email work_email username_email"))
}

/// The tables of people, by number: the users first, then others like them.
#[derive(Debug, Default)]
pub(super) struct People {
    /// The users.
    pub(super) users: Option<usize>,
    /// All tables of people, the users among them.
    pub(super) all: Vec<usize>,
    /// The memberships.
    pub(super) members: Option<usize>,
}

/// Finds the people of a schema, beside the root.
pub(super) fn find(graph: &Graph<'_>, root: Option<usize>) -> People {
    let mut scored: Vec<(u32, usize)> = graph
        .tables
        .iter()
        .enumerate()
        .filter(|(number, _)| Some(*number) != root)
        .map(|(number, table)| {
            // Whoever is pointed to most is the person that the product means.
            let pointed = u32::try_from(graph.child_count(number).min(25)).unwrap_or(25);
            let profile = if graph.profiles.contains(&number) { 30 } else { 0 };
            (person_score(table) + profile, pointed, number)
        })
        .filter(|(score, _, _)| *score >= 55)
        .map(|(score, pointed, number)| (score + pointed, number))
        .collect();
    scored.sort_by_key(|(score, number)| (std::cmp::Reverse(*score), *number));
    People {
        users: scored.first().map(|(_, number)| *number),
        all: scored.iter().map(|(_, number)| *number).collect(),
        members: None,
    }
}

/// The memberships: the keyed table that says which person belongs to which tenant.
pub(super) fn memberships(graph: &Graph<'_>, people: &People, keys: &Keys) -> Option<usize> {
    let users = people.users?;
    if keys.of(users).is_some_and(|key| !key.nullable) {
        return Some(users);
    }
    let found = (0..graph.tables.len())
        .filter(|number| *number != users && keys.of(*number).is_some())
        .filter_map(|number| Some((membership_score(graph, users, number, keys)?, number)))
        .max_by_key(|(score, number)| (*score, std::cmp::Reverse(*number)));
    match found {
        Some((score, number)) if score >= 40 => Some(number),
        // Users of one tenant each, with a key that may be null.
        _ => keys.of(users).map(|_| users),
    }
}

/// How much a keyed table looks like memberships; nothing where it names no person.
fn membership_score(graph: &Graph<'_>, users: usize, number: usize, keys: &Keys) -> Option<i64> {
    let table = &graph.tables[number];
    let edge = member_edge(graph, users, number)?;
    let key = keys.of(number)?;
    let mut score: i64 = if edge.nullable { 5 } else { 25 };
    let column = &edge.columns[0];
    if edge.mention || !is_person(&super::names::stem(column).words) {
        score -= 15;
    }
    let both = |list: &Vec<String>| list.contains(column) && list.contains(&key.column);
    let relation = table.relation;
    let pair = |list: &Vec<String>| both(list) && list.len() == 2;
    if pair(&relation.primary_key) || relation.unique_keys.iter().any(pair) {
        score += 40;
    }
    let last = table.words.last().map(String::as_str).unwrap_or_default();
    if is_in(MEMBERSHIP_WORDS, last) {
        score += 35;
        // `team_members` inside an organization are members of a part of it.
        let whole =
            table.words.len() == 1 || table.words[0] == key.stem || table.words[0] == "user";
        score += if whole { 10 } else { -10 };
    }
    let has = |word: &str| table.words.iter().any(|w| w == word);
    if table.words.len() == 2 && (has("user") || is_person(&table.words)) && has(&key.stem) {
        score += 35;
    }
    if any(&table.words, ABOUT_PEOPLE) {
        score -= 45;
    }
    if role(relation).is_some() {
        score += 12;
    }
    let extra = i64::try_from(relation.columns.len()).unwrap_or(99).saturating_sub(8).max(0);
    Some(score - extra - if key.nullable { 10 } else { 0 })
}

/// The reference of a table to the users that says whose row it is.
fn member_edge<'g>(
    graph: &'g Graph<'_>,
    users: usize,
    number: usize,
) -> Option<&'g super::graph::Edge> {
    graph.parents(number).filter(|edge| edge.to == users && edge.columns.len() == 1).min_by_key(
        |edge| {
            let words = super::names::stem(&edge.columns[0]).words;
            (!is_person(&words) || is_mention(&words), edge.nullable, words.len())
        },
    )
}

/// The column of a role.
fn role(relation: &CatalogRelation) -> Option<&Column> {
    let plain = named(
        relation,
        "role role_name role_id member_role access_level level permission_level user_role account_role organization_role access kind is_admin is_owner admin",
    );
    let tail = |c: &&Column| words(&c.name).ends_with(&["role".to_owned()]);
    plain.or_else(|| relation.columns.iter().find(tail))
}

/// The memberships as the map has them.
pub(super) fn members_found(
    graph: &Graph<'_>,
    people: &People,
    keys: &Keys,
) -> Option<Finding<Members>> {
    let (users, number) = (people.users?, people.members?);
    let table = &graph.tables[number];
    let key = keys.of(number)?;
    let (member, why) = if number == users {
        let own = table.relation.primary_key.first()?;
        (own.clone(), "each user belongs to one tenant: users carry the tenant key themselves")
    } else {
        let edge = member_edge(graph, users, number)?;
        (edge.columns[0].clone(), "each row names a person and a tenant")
    };
    let (state, active) = state_word(table.relation);
    let sure = if number == users && key.nullable {
        Certainty::Guess
    } else if membership_score(graph, users, number, keys).is_none_or(|score| score >= 75) {
        Certainty::Certain
    } else {
        Certainty::Likely
    };
    Some(Finding {
        value: Members {
            table: table.name.to_owned(),
            tenant: key.column.clone(),
            member,
            role: role(table.relation).map(|column| column.name.clone()),
            state,
            active,
        },
        sure,
        why: why.to_owned(),
    })
}

/// The people as the map has them; without an e-mail address nobody could be found, so there are none.
pub(super) fn users_found(graph: &Graph<'_>, people: &People) -> Option<Finding<Users>> {
    let number = people.users?;
    let table = &graph.tables[number];
    let email = email(table.relation)?;
    let id = super::root::key_of(graph, number)?;
    let name = named(
        table.relation,
        "name display_name full_name username user_name login nickname handle first_name",
    );
    let sure = if person_score(table) >= 90 { Certainty::Certain } else { Certainty::Likely };
    Some(Finding {
        value: Users {
            table: table.name.to_owned(),
            id,
            email: email.name.clone(),
            name: name.map(|column| column.name.clone()),
        },
        sure,
        why: "its rows have an e-mail address, and other tables point to them as people".to_owned(),
    })
}
