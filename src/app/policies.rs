//! Policies: run their cases.

use super::context::Context;
use super::error::{Error, Kind};
use crate::brief::Profile;
use crate::ledger::read_charter;
use crate::policy::{PolicyFiles, PolicySet};

/// One case of a policy.
pub struct PolicyTest {
    /// The file it stands in.
    pub file: String,
    /// What it is called.
    pub name: String,
    /// Whether it came out as it says.
    pub passed: bool,
    /// What came out instead, if not.
    pub note: String,
}

/// Runs the cases of the vault's policies, or of the shipped ones. Policies are in clear: no identity is needed.
pub fn test_policies(context: &Context<'_>, shipped: bool) -> Result<Vec<PolicyTest>, Error> {
    let files = if shipped {
        PolicyFiles::shipped()
    } else {
        read_charter(&context.repo()?, None)?.policies
    };
    let set = PolicySet::load(files)?;
    let mut results = Vec::new();
    for case in set.run_cases()? {
        let note = if case.passed {
            String::new()
        } else {
            format!("expected {}, got {}", case.expected, case.got)
        };
        results.push(PolicyTest {
            file: "access/cases.toml".into(),
            name: case.name,
            passed: case.passed,
            note,
        });
    }
    for (path, bytes) in set.files().iter().filter(|(path, _)| path.starts_with("redaction/")) {
        let bad = |why: String| Error::new(Kind::Failed, format!("`{path}`: {why}"));
        let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not text".into()))?;
        let profile = Profile::parse(text).map_err(|why| bad(why.to_string()))?;
        for case in profile.run_cases() {
            results.push(PolicyTest {
                file: path.to_owned(),
                name: format!("case {}", case.number),
                passed: case.faults.is_empty(),
                note: case.faults.join("; "),
            });
        }
    }
    Ok(results)
}
