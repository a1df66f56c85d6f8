//! Policies: what they say, whether a set of them is sound, what they decide and why; and changing them.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::retention::retention_of;
use super::sync::keep_together;
use super::table::typed;
use crate::brief::Profile;
use crate::casework::{Retention, check_forms};
use crate::chain::Kind as EntryKind;
use crate::envelope::WrapFile;
use crate::gate::{Filter, TEXTS};
use crate::id::{Digest, EntryRef};
use crate::label::{Label, Level, is_unseen};
use crate::ledger::{Draft, read_charter};
use crate::policy::{
    Action, BadPolicy, Decision, Explanation, Kind as ThingKind, LEVELS, LevelRules, Levels, PolicyFiles, PolicySet,
    Purpose, ResourceFacts, RuleSummary, governs,
};
use std::io::Read;
use std::path::{Path, PathBuf};

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

/// Something wrong with a policy file.
#[derive(Clone)]
pub struct PolicyFault {
    /// Its path, unless it is about the set as a whole.
    pub file: Option<String>,
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub reason: String,
}

/// What a check of a set of policies found: faults, or if there are none how its cases went.
#[derive(Default)]
pub struct PolicyCheck {
    /// What is wrong with the files.
    pub faults: Vec<PolicyFault>,
    /// How the cases went; none are run where a file is at fault.
    pub tests: Vec<PolicyTest>,
}

impl PolicyCheck {
    /// Whether a vault would take them.
    pub fn passed(&self) -> bool {
        self.faults.is_empty() && self.tests.iter().all(|test| test.passed)
    }
}

/// One file of a vault's policies.
pub struct PolicyFile {
    /// Its path.
    pub path: String,
    /// What it governs.
    pub governs: &'static str,
    /// Its text, as far as it is one.
    pub text: String,
}

/// One level of a vault.
pub struct LevelInfo {
    /// Which.
    pub level: Level,
    /// What it is called and asks.
    pub rules: LevelRules,
}

/// One redaction profile of a vault.
pub struct ProfileInfo {
    /// Its name.
    pub name: String,
    /// The lowest level that a brief made with it may carry, as the vault calls it.
    pub lowest: String,
    /// What its reader is told.
    pub handling: String,
}

/// A vault's policies, to be read.
pub struct Policies {
    /// The digest that names the set.
    pub digest: Digest,
    /// Its files.
    pub files: Vec<PolicyFile>,
    /// The levels, the widest circle first.
    pub levels: Vec<LevelInfo>,
    /// The label of a note for which none is given, if the policies say.
    pub default: Option<String>,
    /// The purposes.
    pub purposes: Vec<Purpose>,
    /// The access rules.
    pub rules: Vec<RuleSummary>,
    /// The redaction profiles.
    pub profiles: Vec<ProfileInfo>,
}

/// Reads the vault's policies. They are in clear: no identity is needed, and nothing of a note is seen.
pub fn read_policies(context: &Context<'_>) -> Result<Policies, Error> {
    let set = PolicySet::load_trusted(read_charter(&context.repo()?, None)?.policies)?;
    let levels = set.levels();
    let name = |level: Level| levels.rules(level).name.clone();
    let file = |(path, bytes): (&str, &[u8])| PolicyFile {
        path: path.to_owned(),
        governs: governs(path),
        text: String::from_utf8_lossy(bytes).into_owned(),
    };
    let profiles = profiles(set.files()).filter_map(|(_, profile)| profile.ok());
    Ok(Policies {
        digest: set.digest(),
        files: set.files().iter().map(file).collect(),
        levels: Level::ALL
            .into_iter()
            .map(|level| LevelInfo {
                level,
                rules: levels.rules(level).clone(),
            })
            .collect(),
        default: levels.default_level().map(name),
        purposes: set.purposes().iter().cloned().collect(),
        rules: set.rules(),
        profiles: profiles
            .map(|profile| ProfileInfo {
                name: profile.name().to_owned(),
                lowest: name(profile.label()),
                handling: profile.handling().to_owned(),
            })
            .collect(),
    })
}

/// Runs the cases of the vault's policies, or of the shipped ones. Policies are in clear: no identity is needed.
pub fn test_policies(context: &Context<'_>, shipped: bool) -> Result<Vec<PolicyTest>, Error> {
    let files = match shipped {
        true => PolicyFiles::shipped(),
        false => read_charter(&context.repo()?, None)?.policies,
    };
    let checked = check(files);
    match checked.faults.into_iter().next() {
        Some(fault) => Err(Error::new(Kind::Failed, fault.to_string())),
        None => Ok(checked.tests),
    }
}

/// Checks a folder of policies as strictly as if a vault were to take them, and runs their cases.
pub fn check_policies(context: &Context<'_>, folder: &Path) -> Result<PolicyCheck, Error> {
    let read = read_folder(context, folder)?;
    Ok(match read {
        Ok(files) => check(files),
        Err(faults) => PolicyCheck {
            faults,
            tests: Vec::new(),
        },
    })
}

/// What is to become a vault's policies.
pub enum NewPolicies {
    /// The files of a folder, and no others.
    Folder(PathBuf),
    /// What the vault has, with this file put in or replaced.
    File {
        /// Its path.
        path: String,
        /// What it is to hold.
        content: Vec<u8>,
    },
}

/// Which files an edit changes.
#[derive(Default)]
pub struct PolicyChanges {
    /// New files.
    pub added: Vec<String>,
    /// Files with another content.
    pub changed: Vec<String>,
    /// Files that go.
    pub removed: Vec<String>,
}

impl PolicyChanges {
    fn between(old: &PolicyFiles, new: &PolicyFiles) -> Self {
        let paths = |files: &PolicyFiles, keep: &dyn Fn(&str) -> bool| -> Vec<String> {
            let paths = files.iter().map(|(path, _)| path);
            paths.filter(|path| keep(path)).map(str::to_owned).collect()
        };
        Self {
            added: paths(new, &|path| old.content(path).is_none()),
            changed: paths(new, &|path| {
                old.content(path).is_some_and(|bytes| new.content(path) != Some(bytes))
            }),
            removed: paths(old, &|path| new.content(path).is_none()),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// How an edit of the policies ended.
pub enum PolicyEdit {
    /// The policies have faults, or cases that fail: nothing was changed.
    Refused(PolicyCheck),
    /// The vault has them already.
    Same,
    /// The person did not want it after all.
    Left,
    /// They are in force.
    Done {
        /// What changed.
        changes: PolicyChanges,
        /// The digest that names them.
        digest: Digest,
        /// The entry.
        entry: EntryRef,
    },
}

/// Takes new policies into the vault: only from a lead, only without a fault, and only if `confirm` agrees to the changes.
pub fn edit_policies(
    context: &Context<'_>,
    new: NewPolicies,
    confirm: impl FnOnce(&PolicyChanges) -> Result<bool, Error>,
) -> Result<PolicyEdit, Error> {
    // What the person has is read before they are asked for a passphrase.
    let read = match &new {
        NewPolicies::Folder(folder) => Some(read_folder(context, folder)?),
        NewPolicies::File { .. } => None,
    };
    let unlocked = context.unlock()?;
    keep_together(context, &unlocked)?;
    let mut desk = unlocked.desk(context)?;
    desk.may_edit_policies()?;
    let old = desk.ledger.charter().policies.clone();
    let files = match (read, new) {
        (None, NewPolicies::File { path, content }) => {
            let files = old.clone().with(&path, content);
            files.map_err(|bad| vec![PolicyFault::of(&bad)])
        }
        (read, _) => read.unwrap_or_else(|| Ok(old.clone())),
    };
    let files = match files {
        Ok(files) => files,
        Err(faults) => {
            return Ok(PolicyEdit::Refused(PolicyCheck {
                faults,
                tests: Vec::new(),
            }));
        }
    };
    let checked = check(files.clone());
    if !checked.passed() {
        return Ok(PolicyEdit::Refused(checked));
    }
    let changes = PolicyChanges::between(&old, &files);
    if changes.is_empty() {
        return Ok(PolicyEdit::Same);
    }
    desk.could_change_back(&files)?;
    // Nobody else waits while somebody makes up their mind.
    drop(desk);
    if !confirm(&changes)? {
        return Ok(PolicyEdit::Left);
    }
    let mut desk = unlocked.desk(context)?;
    let rules = desk.may_edit_policies()?;
    if desk.ledger.charter().policies != old {
        return Err(Error::new(
            Kind::Failed,
            "somebody else changed the policies meanwhile; nothing was changed by you",
        )
        .hint("look at what they say now, then do it again"));
    }
    let digest = files.digest();
    let mut details = desk.details("policy edit");
    details.rules = rules;
    let paths = [&changes.added, &changes.changed, &changes.removed];
    details.asked = Some(short(
        paths.into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
    ));
    let written = desk.ledger.charter().policy_changes(&files);
    let entry = desk
        .record(Draft::change(EntryKind::Policy, details, Vec::new(), written))?
        .entry();
    drop(desk);
    keep_together(context, &unlocked)?;
    Ok(PolicyEdit::Done { changes, digest, entry })
}

/// What is to be explained.
pub struct ExplainQuery {
    /// The action, as the rules call it.
    pub action: String,
    /// A note's id.
    pub note: Option<String>,
    /// Or a label, as if a note bore it; neither: the default label, or the thing that the action is about.
    pub label: Option<String>,
    /// The audience of a brief.
    pub audience: Option<String>,
}

/// An explained decision.
pub struct Explained {
    /// The action.
    pub action: Action,
    /// What it is about: `note`, `log`, `policy`, …
    pub kind: &'static str,
    /// The label it bears; none for what is no note.
    pub label: Option<String>,
    /// Whether it is about a note that exists.
    pub exists: bool,
    /// The decision, its rules, and what would change it.
    pub explanation: Explanation,
}

/// Explains what the policies decide for this person about a note, or a note that there could be, and why. About a note it
/// tells no more than a list does, under the same rules and an entry of its own; what one may not list sounds as if it
/// did not exist.
pub fn explain_policy(context: &Context<'_>, query: &ExplainQuery) -> Result<Explained, Error> {
    let action = action_of(&query.action)?;
    let about_notes = action.kinds().contains(&ThingKind::Note);
    if !about_notes && (query.note.is_some() || query.label.is_some()) {
        return Err(Error::new(
            Kind::Usage,
            format!("`{action}` is not about a note: leave the note or label out"),
        ));
    }
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let audience = query.audience.as_deref().map(|name| desk.level(name)).transpose()?;
    let (purpose, reason) = (context.access.purpose(), context.access.reason());
    // Purpose and reason are part of the question here, not why it is asked.
    let mut details = crate::chain::Details::new("policy explain");
    let asked = [
        &Some(action.to_string()),
        &query.label,
        &query.audience,
        &purpose,
        &reason,
    ];
    let asked: Vec<String> = asked.into_iter().flatten().cloned().collect();
    details.asked = Some(short(asked.join(" / ")));
    let mut facts = match &query.note {
        Some(asked) => {
            let Some((note, facts, wraps)) = desk.listable(asked, &mut details)? else {
                return Err(desk.not_there(details, asked)?);
            };
            details.level = Some(facts.label.level());
            match desk.decide_to_explain(Action::List, facts.clone()) {
                Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, vec![note], asked)?),
                Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
            }
            let _ = desk.record(Draft::read(details, vec![note]))?;
            let mut facts = ResourceFacts {
                held: desk.is_held(note)?,
                ..facts
            };
            if action == Action::Destroy {
                let wraps = wraps.into_iter().map(|wrap| (note, wrap)).collect();
                let stored = desk.ledger.stored_many(wraps)?;
                desk.as_a_record(&desk.gate().whole(note, stored)?, &mut facts);
            }
            facts
        }
        None => {
            let (kind, label) = match about_notes {
                true => (ThingKind::Note, desk.label(query.label.as_deref())),
                false => (action.kinds()[0], public()),
            };
            let label = match label {
                Ok(label) => label,
                Err(error) => return Err(desk.refused("policy explain", None, query.label.as_deref(), error)?),
            };
            let policy = ResourceFacts::new(ThingKind::Policy, public()?);
            match desk.decide_to_explain(Action::PolicyShow, policy) {
                Decision::Denied(denial) => {
                    return Err(desk.denied(&denial, None, details, Vec::new(), "policy explain")?);
                }
                Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
            }
            let _ = desk.record(Draft::read(details, Vec::new()))?;
            let mut facts = ResourceFacts::new(kind, label);
            // A new note is one's own, and of the log this program asks for one's own entries alone.
            facts.own = matches!(action, Action::Add | Action::AuditLog);
            facts
        }
    };
    facts.outgoing = audience;
    let kind = facts.kind.name();
    let label = about_notes.then(|| desk.label_text(&facts.label).to_string());
    let explanation = desk.policies.explain(&desk.request(action, facts, reason.as_deref()));
    Ok(Explained {
        action,
        kind,
        label,
        exists: query.note.is_some(),
        explanation,
    })
}

/// An action by its name in the rules, or by the command that asks for it.
fn action_of(text: &str) -> Result<Action, Error> {
    let name = match text {
        "show" => "read".to_owned(),
        "edit" => "revise".to_owned(),
        text => text.replace(' ', "-"),
    };
    name.parse().map_err(|_| {
        let names: Vec<&str> = Action::ALL.iter().map(|action| action.name()).collect();
        Error::new(Kind::Usage, format!("there is no action `{}`", typed(text)))
            .hint(format!("the actions are {}", names.join(", ")))
    })
}

fn public() -> Result<Label, Error> {
    Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
}

impl Desk<'_> {
    /// The rules by which this person may change the policies; a denial is entered.
    pub(super) fn may_edit_policies(&mut self) -> Result<Vec<String>, Error> {
        let details = self.details("policy edit");
        match self.decide(Action::PolicyEdit, ResourceFacts::new(ThingKind::Policy, public()?)) {
            Decision::Permitted(permission) => Ok(permission.rules().to_vec()),
            Decision::Denied(denial) => {
                Err(self.denied(&denial, Some(EntryKind::Policy), details, Vec::new(), "policy edit")?)
            }
        }
    }

    /// Decides whether something may be explained. Purpose and reason count as far as they could be true of that; nobody is
    /// asked for them.
    fn decide_to_explain(&self, action: Action, facts: ResourceFacts) -> Decision {
        let reason = self.context.access.reason();
        let mut request = self.request(action, facts, reason.as_deref());
        let purposes = self.policies.purposes();
        request.purpose = request.purpose.filter(|code| purposes.by_code(code).is_some());
        self.policies.decide(&request)
    }

    /// Refuses policies under which this person could not put the old ones back, whatever they said it was for.
    pub(super) fn could_change_back(&self, files: &PolicyFiles) -> Result<(), Error> {
        let facts = ResourceFacts::new(ThingKind::Policy, public()?);
        let request = self.request(Action::PolicyEdit, facts, None);
        let new = PolicySet::load_trusted(files.clone())?;
        if new.possible(&request) {
            return Ok(());
        }
        let refusal = Error::new(
            Kind::Failed,
            "under these policies you could not change the policies again; nothing was changed",
        );
        let rules = new.explain(&request).rules.into_iter();
        Err(rules
            .map(|rule| format!("the rule `{}` forbids it: {}", rule.id, rule.why))
            .fold(refusal, Error::hint))
    }

    /// A note that this person's keys open, and what the policies are told of it.
    fn listable(
        &mut self,
        asked: &str,
        details: &mut crate::chain::Details,
    ) -> Result<Option<(crate::id::NoteId, ResourceFacts, Vec<WrapFile>)>, Error> {
        let Some((note, label, wraps)) = self.find(asked)? else {
            return Ok(None);
        };
        let of_note = wraps.iter().map(|wrap| (note, wrap.clone())).collect();
        let surveyed = self.ledger.stored_many(of_note).map_err(Error::from);
        let texts = Filter {
            natures: TEXTS.to_vec(),
            ..Filter::default()
        };
        let surveyed = surveyed.map(|stored| self.gate().survey(&stored, &texts));
        match surveyed {
            Ok(survey) => {
                details.client = survey.clients_for_the_record();
                let mut facts = ResourceFacts::new(ThingKind::Note, label);
                facts.own = survey.classes().iter().any(|class| class.own);
                facts.conflict = survey.conflict();
                Ok(Some((note, facts, wraps)))
            }
            Err(error) => Err(self.failed(details.clone(), vec![note], error)),
        }
    }
}

impl PolicyFault {
    fn of(bad: &BadPolicy) -> Self {
        let (file, line, reason) = bad.parts();
        Self {
            file: file.map(str::to_owned),
            line,
            reason,
        }
    }
}

impl std::fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "`{file}`, line {line}: {}", self.reason),
            (Some(file), None) => write!(f, "`{file}`: {}", self.reason),
            (None, _) => f.write_str(&self.reason),
        }
    }
}

/// The files of a person's folder, or why they are no set of policies.
fn read_folder(context: &Context<'_>, folder: &Path) -> Result<Result<PolicyFiles, Vec<PolicyFault>>, Error> {
    let paths = context.person.files_in(folder)?;
    let bad: Vec<BadPolicy> = paths
        .iter()
        .filter_map(|path| PolicyFiles::check_path(path).err())
        .collect();
    if !bad.is_empty() {
        return Ok(Err(bad.iter().map(PolicyFault::of).collect()));
    }
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let mut bytes = Vec::new();
        let max = PolicyFiles::MAX_FILE_BYTES as u64 + 1;
        let read = context
            .person
            .open(&folder.join(&path))?
            .take(max)
            .read_to_end(&mut bytes);
        read.map_err(|error| Error::new(Kind::Failed, format!("`{path}` cannot be read: {error}")))?;
        files.push((path, bytes));
    }
    Ok(PolicyFiles::new(files).map_err(|bad| vec![PolicyFault::of(&bad)]))
}

/// The redaction profiles of a set, by path; a draft looks for no other files.
fn profiles(files: &PolicyFiles) -> impl Iterator<Item = (&str, Result<Profile, PolicyFault>)> {
    let files = files
        .iter()
        .filter(|(path, _)| path.starts_with("redaction/") && path.ends_with(".toml"));
    files.map(|(path, bytes)| (path, profile(path, bytes)))
}

fn profile(path: &str, bytes: &[u8]) -> Result<Profile, PolicyFault> {
    let fault = |line, reason: String| PolicyFault {
        file: Some(path.to_owned()),
        line,
        reason,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| fault(None, "not UTF-8 text: save it as UTF-8".into()))?;
    let profile = Profile::parse(text).map_err(|bad| fault(bad.line(text), bad.to_string()))?;
    // A draft remembers its profile by this name, and it is looked for by it.
    match path == format!("redaction/{}.toml", profile.name()) {
        true => Ok(profile),
        false => {
            let name = typed(profile.name());
            Err(fault(
                None,
                format!(
                    "its name is `{name}`, and its file's is another: a draft finds its profile by both, so make them the same"
                ),
            ))
        }
    }
}

/// The names of levels in which something is not seen. Where such a name is in force it is shown with what it hides; it is not
/// to be given anew.
fn hidden_in(levels: &Levels) -> Vec<PolicyFault> {
    let names = Level::ALL.iter().map(|level| &levels.rules(*level).name);
    let hidden = names.filter(|name| name.chars().any(is_unseen));
    let fault = |name: &String| PolicyFault {
        file: Some(LEVELS.into()),
        line: None,
        reason: format!(
            "`{}` cannot name a level: it has characters that are not seen",
            name.escape_debug()
        ),
    };
    hidden.map(fault).collect()
}

/// Everything that is wrong with a set, or how its cases go.
pub(super) fn check(files: PolicyFiles) -> PolicyCheck {
    let mut checked = PolicyCheck::default();
    let mut sound = Vec::new();
    for (path, profile) in profiles(&files) {
        match profile {
            Ok(profile) => sound.push((path.to_owned(), profile)),
            Err(fault) => checked.faults.push(fault),
        }
    }
    let (bad_forms, form_cases) = check_forms(&files);
    checked.faults.extend(bad_forms.iter().map(PolicyFault::of));
    let retention = retention_of(&files);
    let levels = files
        .content(LEVELS)
        .and_then(|text| Levels::parse(std::str::from_utf8(text).ok()?).ok());
    checked.faults.extend(levels.iter().flat_map(hidden_in));
    checked.faults.extend(retention.as_ref().err().cloned());
    let cases = PolicySet::check(files).and_then(|set| set.run_cases().map_err(|bad| vec![bad]));
    let cases = match cases {
        Ok(cases) => cases,
        Err(faults) => {
            checked.faults.extend(faults.iter().map(PolicyFault::of));
            Vec::new()
        }
    };
    if !checked.faults.is_empty() {
        let place = |fault: &PolicyFault| (fault.file.clone(), fault.line);
        checked.faults.sort_by_key(place);
        return checked;
    }
    checked.tests.extend(cases.into_iter().map(|case| PolicyTest {
        file: "access/cases.toml".into(),
        note: match case.passed {
            true => String::new(),
            false => format!("expected {}, got {}", case.expected, case.got),
        },
        name: case.name,
        passed: case.passed,
    }));
    let results = retention
        .ok()
        .flatten()
        .zip(levels)
        .map(|(retention, levels)| retention.run_cases(&levels));
    checked
        .tests
        .extend(results.into_iter().flatten().map(|case| PolicyTest {
            file: Retention::FILE.into(),
            name: case.name,
            passed: case.faults.is_empty(),
            note: case.faults.join("; "),
        }));
    for (path, profile) in sound {
        checked
            .tests
            .extend(profile.run_cases().into_iter().map(|case| PolicyTest {
                file: path.clone(),
                name: format!("case {}", case.number),
                passed: case.faults.is_empty(),
                note: case.faults.join("; "),
            }));
    }
    checked.tests.extend(form_cases.into_iter().map(|case| PolicyTest {
        name: format!("case {}", case.number),
        passed: case.fault.is_none(),
        note: case.fault.unwrap_or_default(),
        file: case.file,
    }));
    checked
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_level_whose_name_hides_something_is_not_put_in_force_and_stays_where_it_is() {
        let levels = |name: &str| {
            let files = PolicyFiles::shipped();
            let text = String::from_utf8(files.content(LEVELS).unwrap().to_vec()).unwrap();
            let text = text.replacen("name = \"internal\"", &format!("name = \"{name}\""), 1);
            files.with(LEVELS, text.into_bytes()).unwrap()
        };
        for (name, escaped) in [("in\u{200c}house", "200c"), ("in\u{202e}house", "202e")] {
            let faults = check(levels(name)).faults;
            let told = |fault: &PolicyFault| fault.reason.contains("not seen") && fault.reason.contains(escaped);
            assert!(
                faults.iter().any(told),
                "{:?}",
                faults.first().map(|fault| &fault.reason)
            );
            let text = levels(name).content(LEVELS).unwrap().to_vec();
            assert!(Levels::parse(std::str::from_utf8(&text).unwrap()).is_ok());
        }
        let faults = check(levels("in-house")).faults;
        assert!(!faults.iter().any(|fault| fault.reason.contains("not seen")));
    }
}
