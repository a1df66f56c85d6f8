//! The public key of a vault's concerns: who handles them, and what somebody seals with who has neither vault nor name.

use super::compartments::public_facts;
use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::person::Person;
use super::table::typed;
use crate::chain::{Card, ConcernKey, Handler};
use crate::id::{EntryRef, Fingerprint, PersonId};
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind};
use std::io::{Read, Write};
use std::path::Path;

/// The template of concerns, which also says who handles them.
pub(super) const TEMPLATE: &str = "concern";
/// To so many devices a concern can be sealed.
const DEVICES_MAX: usize = 128;

/// A key that was written.
pub struct MadeConcernKey {
    /// What a writer compares.
    pub fingerprint: Fingerprint,
    /// Who handles concerns, by handle.
    pub handlers: Vec<String>,
    /// The entry.
    pub entry: EntryRef,
}

/// A key that was held against the vault.
pub struct CheckedConcernKey {
    /// What a writer compares.
    pub fingerprint: Fingerprint,
    /// Who made it.
    pub by: String,
    /// Whom it names and what is wrong with that now.
    pub changed: Vec<String>,
    /// The entry.
    pub entry: EntryRef,
}

/// Writes the key for concerns to a new file, signed by this device. Anybody may make it and have it: it holds nothing
/// but who handles concerns, and the public keys of their devices. So no lead can keep it back.
pub fn make_concern_key(context: &Context<'_>, out: &Path) -> Result<MadeConcernKey, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut new = context.person.create(out)?;
    desk.may_have_the_key()?;
    let key = desk.concern_key()?;
    let devices: usize = key
        .handlers
        .iter()
        .filter_map(|handler| handler.recipients().map(|keys| keys.len()))
        .sum();
    if devices > DEVICES_MAX {
        let words = format!("these handlers have {devices} devices, and a concern goes to {DEVICES_MAX} at most");
        return Err(Error::new(Kind::Failed, words).hint("name fewer of them in `templates/concern.toml`"));
    }
    if key.handlers.len() < 2 {
        context.person.warn(
            "only one person handles concerns: whoever has one about them can write to nobody. Name a second in \
             `templates/concern.toml`",
        );
    }
    let file = key.to_file(|namespace, message| desk.identity.sign(namespace, message));
    let failed = |error| Error::new(Kind::Failed, format!("cannot write `{}`: {error}", out.display()));
    new.file().write_all(&file).map_err(failed)?;
    let mut details = desk.details("concern key");
    details.left = Some(key.digest());
    let recorded = desk.record(Draft::read(details, Vec::new()))?;
    new.keep()?;
    Ok(MadeConcernKey {
        fingerprint: key.fingerprint(),
        handlers: key.handlers.into_iter().map(|handler| handler.handle).collect(),
        entry: recorded.entry(),
    })
}

/// Holds a key, such as one that hangs in the canteen, against the vault: whether a member's device made it for this
/// vault, and whether it still says who handles concerns.
pub fn check_concern_key(context: &Context<'_>, path: &Path) -> Result<CheckedConcernKey, Error> {
    let key = load_concern_key(context.person, path)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.may_have_the_key()?;
    let mut details = desk.details("concern key");
    details.left = Some(key.digest());
    let (fingerprint, roster) = (key.fingerprint(), &desk.ledger.charter().roster);
    let maker = roster.device_ever(key.by).and_then(|device| device.sign_key());
    let ours = key.vault == desk.identity.vault() && key.founder == roster.founder();
    if !ours || !maker.is_some_and(|known| key.is_signed_with(&known)) {
        let words = "this key is not this vault's: no device of a member made it. Who uses it writes to strangers";
        let error = Error::new(Kind::Tampered, words)
            .hint(format!("its words are: {fingerprint}"))
            .hint("take it away where it hangs, and tell whoever may have used it");
        return Err(desk.failed(details, Vec::new(), error));
    }
    let by = roster
        .person_of(key.by)
        .map_or_else(String::new, |person| desk.handle(person));
    let changed = match desk.concern_key()? {
        now if now.names_the_same(&key) => Vec::new(),
        now => differences(&key.handlers, &now.handlers),
    };
    let recorded = desk.record(Draft::read(details, Vec::new()))?;
    Ok(CheckedConcernKey {
        fingerprint,
        by,
        changed,
        entry: recorded.entry(),
    })
}

/// What of a key is no longer so.
fn differences(then: &[Handler], now: &[Handler]) -> Vec<String> {
    let of = |all: &'_ [Handler], person: PersonId| all.iter().find(|handler| handler.person == person).cloned();
    let gone = then.iter().filter_map(|handler| match of(now, handler.person) {
        None => Some(format!(
            "{} handles no concerns any more, and could read them",
            handler.handle
        )),
        Some(same) if same == *handler => None,
        Some(_) => Some(format!("{} has other devices by now", handler.handle)),
    });
    let new = now.iter().filter(|handler| of(then, handler.person).is_none());
    let new = new.map(|handler| format!("{} handles concerns by now, and is not in it", handler.handle));
    gone.chain(new).collect()
}

/// Reads a key for concerns. Needs no vault.
pub fn load_concern_key(person: &dyn Person, path: &Path) -> Result<ConcernKey, Error> {
    let mut file = Vec::new();
    let read = person
        .open(path)?
        .take(ConcernKey::MAX as u64 + 1)
        .read_to_end(&mut file);
    read.map_err(|error| Error::new(Kind::Failed, format!("cannot read `{}`: {error}", path.display())))?;
    ConcernKey::parse(&file).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
}

/// To whom a concern goes that leaves out some of the handlers. A name that is none of theirs is a slip, and would leave
/// out nobody.
pub fn whom_it_goes_to<'k>(key: &'k ConcernKey, left_out: &[String]) -> Result<Vec<&'k Handler>, Error> {
    let named = |handler: &Handler| left_out.iter().any(|name| plain(name) == handler.handle);
    let handles: Vec<&str> = key.handlers.iter().map(|handler| handler.handle.as_str()).collect();
    if let Some(name) = left_out.iter().find(|name| !handles.contains(&plain(name))) {
        return Err(Error::new(
            Kind::Usage,
            format!(
                "`{}` handles no concerns here, so there is nobody to leave out",
                typed(name)
            ),
        )
        .hint(format!("those who do are {}", handles.join(", "))));
    }
    let to: Vec<&Handler> = key.handlers.iter().filter(|handler| !named(handler)).collect();
    match to.is_empty() {
        false => Ok(to),
        true => Err(Error::new(
            Kind::Usage,
            "everybody who handles concerns is left out, so nobody could read this",
        )
        .hint("write to somebody outside: the law names authorities that take such reports")),
    }
}

/// A handle with or without its `@`.
pub(super) fn plain(handle: &str) -> &str {
    handle.strip_prefix('@').unwrap_or(handle)
}

impl Desk<'_> {
    fn may_have_the_key(&mut self) -> Result<(), Error> {
        match self.decide(Action::MemberList, public_facts(ThingKind::Roster)?) {
            Decision::Permitted(_) => Ok(()),
            Decision::Denied(denial) => {
                let details = self.details("concern key");
                Err(self.denied(&denial, None, details, Vec::new(), "concern key")?)
            }
        }
    }

    fn concern_key(&self) -> Result<ConcernKey, Error> {
        let handlers = self.handlers()?;
        let handlers = handlers.iter().map(Handler::of);
        let handlers = handlers.filter(|handler| handler.recipients().is_some_and(|keys| !keys.is_empty()));
        let by = (self.identity.device(), self.identity.public_key());
        let founder = self.ledger.charter().roster.founder();
        let now = self.context.now();
        Ok(ConcernKey::new(
            self.identity.vault(),
            founder,
            now,
            handlers.collect(),
            by,
        ))
    }

    /// Who handles concerns by the policies, of those who are members and neither paused nor past their end. Whose name another
    /// bears or bore is left out: a lead could give themselves the name of somebody who handles concerns.
    pub(super) fn handlers(&self) -> Result<Vec<Card>, Error> {
        let named = self.form(TEMPLATE)?.template.handlers;
        let now = self.context.now();
        let mut cards: Vec<Card> = Vec::new();
        for handle in &named {
            match self.member(handle) {
                Ok(card) if card.paused || card.has_ended(now) => {}
                Ok(card) if cards.iter().any(|known| known.person == card.person) => {}
                Ok(card) => match self.addressed(handle) {
                    Ok(_) => cards.push(card.clone()),
                    Err(error) => self.context.person.warn(&format!(
                        "`{}` is to handle concerns by `templates/concern.toml`, and gets none: {error}",
                        typed(handle)
                    )),
                },
                Err(_) => self.context.person.warn(&format!(
                    "`{}` is to handle concerns by `templates/concern.toml`, and is no member",
                    typed(handle)
                )),
            }
        }
        match cards.is_empty() {
            false => Ok(cards),
            true => Err(Error::new(Kind::Failed, nobody(&named)).hint(
                "a lead names them, two at least: `handlers = [\"HANDLE\", \"HANDLE\"]` in `templates/concern.toml` \
                 (`strongroom policy edit`)",
            )),
        }
    }
}

fn nobody(named: &[String]) -> &'static str {
    match named.is_empty() {
        true => "nobody handles concerns in this vault yet",
        false => "of those who are to handle concerns in this vault nobody is left who could get one",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Time;
    use crate::crypto::{HybridSecret, PublicKey};
    use crate::id::{DeviceId, Digest, VaultId};
    use crate::secret::Secret;

    fn handler(n: u8, handle: &str, device: u8) -> Handler {
        let recipient = HybridSecret::from_seed(&Secret::copy_from(&[device; 32]).unwrap()).recipient();
        let device = crate::chain::Device::new(
            DeviceId([device; 8]),
            crate::chain::DeviceKind::Device,
            &recipient,
            PublicKey([1; 32]),
        );
        let card = serde_json::json!({
            "by": "0101010101010101", "compartments": [], "devices": [device], "handle": handle, "level": 0, "n": 0,
            "person": PersonId([n; 8]).to_string(), "prev": "0".repeat(64), "roles": [], "time": "1970-01-01T00:00:00Z",
            "v": 1, "vault": "0".repeat(32),
        });
        Handler::of(&serde_json::from_value(card).unwrap())
    }

    fn key(handlers: Vec<Handler>) -> ConcernKey {
        let by = (DeviceId([1; 8]), PublicKey([1; 32]));
        ConcernKey::new(VaultId([1; 16]), Digest([1; 32]), Time::from_unix(0), handlers, by)
    }

    #[test]
    fn whom_one_leaves_out_is_somebody_and_somebody_is_left() {
        let key = key(vec![handler(1, "jon", 1), handler(2, "mara", 2)]);
        let goes = |left_out: &[&str]| {
            let left_out: Vec<String> = left_out.iter().map(|&name| name.to_owned()).collect();
            whom_it_goes_to(&key, &left_out)
                .map(|to| to.iter().map(|handler| handler.handle.clone()).collect::<Vec<_>>())
                .map_err(|error| error.kind)
        };
        assert_eq!(goes(&[]), Ok(vec!["jon".to_owned(), "mara".to_owned()]));
        assert_eq!(goes(&["@jon"]), Ok(vec!["mara".to_owned()]));
        for bad in [&["jonn"][..], &["Jon"], &["jon", "mara"], &[""]] {
            assert_eq!(goes(bad), Err(Kind::Usage), "{bad:?}");
        }
    }

    #[test]
    fn what_changed_since_a_key_was_made_is_told() {
        let then = [handler(1, "jon", 1), handler(2, "mara", 2), handler(3, "ines", 3)];
        let now = [handler(1, "jon", 1), handler(2, "mara", 4), handler(4, "tom", 5)];
        assert_eq!(
            differences(&then, &now),
            [
                "mara has other devices by now",
                "ines handles no concerns any more, and could read them",
                "tom handles concerns by now, and is not in it"
            ]
        );
        assert_eq!(differences(&then, &then), Vec::<String>::new());
    }
}
