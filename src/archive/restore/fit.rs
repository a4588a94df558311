//! Whether an archive fits a database: pure over the manifest and the plan of the database.
//!
//! The target may have more relations and more columns than the archive knows, never fewer, and
//! what both have must be of the same type; the archive decides which columns are written, the
//! database how a row belongs to the tenant.

use super::error::RestoreError;
use crate::archive::manifest::{ArchivedRelation, Manifest};
use crate::archive::plan::{ArchivePlan, PlannedRelation};

/// The relations of the archive in the order of the database, and what people should know.
///
/// # Errors
/// [`RestoreError::Unfit`] with the relation and the difference.
pub fn fit(
    manifest: &Manifest,
    target: &ArchivePlan,
) -> Result<(Vec<PlannedRelation>, Vec<String>), RestoreError> {
    let mut fitting = Vec::new();
    let mut warnings = Vec::new();
    for archived in &manifest.relations {
        let name = format!("{}.{}", archived.schema, archived.table);
        let known = target.relations.iter().any(|here| {
            here.archived.schema == archived.schema && here.archived.table == archived.table
        });
        if !known {
            let why = "it is not among the tenant's relations here".to_owned();
            return Err(RestoreError::Unfit { relation: name, why });
        }
    }
    for here in &target.relations {
        let archived = manifest.relations.iter().find(|archived| {
            here.archived.schema == archived.schema && here.archived.table == archived.table
        });
        let Some(archived) = archived else {
            warnings.push(format!("`{}` is not in the archive and stays as it is", here.name));
            continue;
        };
        check(here, archived)?;
        let missing = |name: &str| !archived.columns.iter().any(|column| column.name == name);
        let added = here.archived.columns.iter().filter(|column| missing(&column.name));
        for column in added {
            let (relation, column) = (&here.name, &column.name);
            warnings.push(format!(
                "`{relation}`.`{column}` is not in the archive: new rows get its default"
            ));
        }
        let mut planned = here.clone();
        planned.archived.ordinal = archived.ordinal;
        planned.archived.columns = here
            .archived
            .columns
            .iter()
            .filter(|column| archived.columns.iter().any(|other| other.name == column.name))
            .cloned()
            .collect();
        if planned.row_key.iter().any(|(name, _)| missing(name)) {
            planned.row_key.clear();
        }
        // The lines have the order of the archive.
        let place = |name: &str| archived.columns.iter().position(|column| column.name == name);
        planned.archived.columns.sort_by_key(|column| place(&column.name));
        fitting.push(planned);
    }
    Ok((fitting, warnings))
}

/// Class, columns, types and key of one relation.
fn check(here: &PlannedRelation, archived: &ArchivedRelation) -> Result<(), RestoreError> {
    let unfit = |why: String| Err(RestoreError::Unfit { relation: here.name.clone(), why });
    if archived.class != here.archived.class {
        return unfit("its class in the relation map is another".to_owned());
    }
    for column in &archived.columns {
        match here.archived.columns.iter().find(|other| other.name == column.name) {
            None => return unfit(format!("it has no column `{}`", column.name)),
            Some(other) if other.sql_type != column.sql_type => {
                return unfit(format!(
                    "column `{}` is {} here and {} in the archive",
                    column.name, other.sql_type, column.sql_type
                ));
            }
            Some(_) => {}
        }
    }
    let missing = |name: &&String| !archived.columns.iter().any(|column| column.name == **name);
    match here.archived.primary_key.iter().find(missing) {
        Some(column) => unfit(format!("the archive lacks its key column `{column}`")),
        None => Ok(()),
    }
}
