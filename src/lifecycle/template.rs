//! SQL templates with named parameters: `:name` becomes `$1`, every value travels as text.
//!
//! A template comes with the schema (`assets/starter/provision.sql`), not with the program's
//! code; it is cut into statements here, so that each runs with parameters of its own.

use tokio_postgres::types::{ToSql, Type};

use crate::postgres::{ServerError, Transaction};

/// One statement of a template: its text with `$n`, and the names behind the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    sql: String,
    names: Vec<String>,
}

/// Cuts a template into steps. Understands what a template needs: comments to the end of the
/// line, quoted strings and identifiers, and `::` casts, which are no parameters.
#[must_use]
pub fn parse(template: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = Step { sql: String::new(), names: Vec::new() };
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '-' if chars.peek() == Some(&'-') => {
                for skipped in chars.by_ref() {
                    if skipped == '\n' {
                        break;
                    }
                }
                step.sql.push('\n');
            }
            '\'' | '"' => {
                step.sql.push(c);
                for quoted in chars.by_ref() {
                    step.sql.push(quoted);
                    if quoted == c {
                        break;
                    }
                }
            }
            ':' if chars.peek() == Some(&':') => {
                step.sql.push_str("::");
                chars.next();
            }
            ':' if chars.peek().is_some_and(char::is_ascii_lowercase) => {
                let mut name = String::new();
                while let Some(&next) = chars.peek() {
                    if !(next.is_ascii_alphanumeric() || next == '_') {
                        break;
                    }
                    name.push(next);
                    chars.next();
                }
                let number =
                    step.names.iter().position(|known| *known == name).unwrap_or_else(|| {
                        step.names.push(name);
                        step.names.len() - 1
                    });
                step.sql.push('$');
                step.sql.push_str(&(number + 1).to_string());
            }
            ';' => steps
                .push(std::mem::replace(&mut step, Step { sql: String::new(), names: Vec::new() })),
            _ => step.sql.push(c),
        }
    }
    steps.push(step);
    steps.retain(|step| !step.sql.trim().is_empty());
    steps
}

/// Runs the steps in order with these values, each as text that the template casts.
///
/// # Errors
/// What the server says; [`ServerError::Answer`] where the template names a value that nobody gave.
pub async fn run(
    transaction: &Transaction<'_>,
    steps: &[Step],
    values: &[(&str, String)],
) -> Result<(), ServerError> {
    for step in steps {
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = Vec::new();
        for name in &step.names {
            let (_, value) = values.iter().find(|(known, _)| known == name).ok_or_else(|| {
                ServerError::Answer(format!("the template asks for `:{name}`, which is not known"))
            })?;
            parameters.push((value, Type::TEXT));
        }
        transaction.client().execute_typed(&step.sql, &parameters).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_into_steps_with_numbered_parameters() {
        let steps = parse(
            "-- a comment; with :names\ninsert into t values (:id::uuid, ':no;', lower(:email::text), :id);\nselect 1;\n",
        );
        assert_eq!(steps.len(), 2);
        assert_eq!(
            steps[0].sql.trim(),
            "insert into t values ($1::uuid, ':no;', lower($2::text), $1)"
        );
        assert_eq!(steps[0].names, ["id", "email"]);
    }

    #[test]
    fn the_starter_template_has_five_steps() {
        assert_eq!(parse(include_str!("../../assets/starter/provision.sql")).len(), 5);
    }
}
