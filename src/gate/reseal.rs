//! All of one note: looked at for a decision about the whole of it, and sealed anew under another label. No plaintext
//! leaves: what comes out is sealed again.

use super::content::comes_out;
use super::{Gate, GateError, Metadata, NextPart, Permit, Resealed, Resealing, SealedNote};
use crate::casework::{Kept, Retention, reserved, value_of};
use crate::chain::{FileRef, Time};
use crate::crypto::{Entropy, Recipient};
use crate::envelope::{BodyFile, ContentKey, Purpose, Unsealable, seal_body};
use crate::id::{Digest, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{LedgerError, StoredNote};
use crate::policy::Action;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is kept of one note and has a wrap: its revisions, and the heads of its attachments.
pub struct Whole {
    note: NoteId,
    me: PersonId,
    items: Vec<Item>,
    /// Heads of attachments that are not what they say: they go with the note, and not along with it.
    void: BTreeSet<Digest>,
}

struct Item {
    stored: StoredNote,
    nature: Purpose,
    label: Label,
    key: ContentKey,
    metadata: Metadata,
    conflict: bool,
}

impl Whole {
    /// The join of all labels; none where nobody may read all of it.
    pub fn label(&self) -> Option<Label> {
        let mut labels = self.items.iter().map(|item| &item.label);
        let first = labels.next()?.clone();
        labels.try_fold(first, |join, label| join.join(label))
    }

    /// Whether all of it bears exactly that label.
    pub fn bears(&self, label: &Label) -> bool {
        self.items.iter().all(|item| item.label == *label)
    }

    /// Whether all of it was written by the person at the gate.
    pub fn own(&self) -> bool {
        self.items.iter().all(|item| item.metadata.author == self.me)
    }

    /// Whether some of it concerns a conflict of interest that the person has declared.
    pub fn conflict(&self) -> bool {
        self.items.iter().any(|item| item.conflict)
    }

    /// Whether its author left somebody out who would be let in: anybody, for a label that names nobody, or one of the
    /// people of these handles.
    pub fn would_let_in(&self, named: Option<&BTreeSet<String>>) -> bool {
        let left_out = self
            .items
            .iter()
            .filter_map(|item| value_of(&item.metadata.fields, reserved::LEFT_OUT));
        let mut handles = left_out.flat_map(|people| people.split(", "));
        handles.any(|handle| named.is_none_or(|named| named.contains(handle)))
    }

    /// Whether one of its revisions says that it was closed: what was a record once stays one.
    pub fn closed(&self) -> bool {
        let mut notes = self.items.iter().filter(|item| item.nature == Purpose::Note);
        notes.any(|item| value_of(&item.metadata.fields, reserved::CLOSED).is_some())
    }

    /// The highest level that some of it bears, or bore before it was lowered.
    pub fn highest(&self) -> Option<Level> {
        let bore = |item: &Item| {
            let before = value_of(&item.metadata.fields, reserved::HIGHEST);
            let before = before.and_then(|number| Level::from_number(number.parse().ok()?));
            before.max(Some(item.label.level()))
        };
        self.items.iter().filter_map(bore).max()
    }

    /// Takes the attachment with that head for none. It goes where the rest is forgotten.
    pub fn leave_out(&mut self, head: Digest) {
        self.void.insert(head);
    }

    /// The wrap of a body, by which it is known who wrapped it.
    pub fn wrap_file(&self, body: Digest) -> Option<FileRef> {
        let item = self.items.iter().find(|item| item.stored.body == body)?;
        Some(item.stored.wrap_file())
    }

    /// Until when its class keeps it at least, by the latest that one of its revisions says.
    pub fn least(&self, retention: &Retention) -> Option<Time> {
        let notes = self.items.iter().filter(|item| item.nature == Purpose::Note);
        let least = notes.filter_map(|item| {
            let modified = Time::from_unix(item.metadata.modified);
            retention.least(&Kept::of(&item.metadata.fields, item.label.level(), modified))
        });
        least.max()
    }

    /// Whether nothing of it opens.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many things of that nature there are.
    pub fn count(&self, nature: Purpose) -> usize {
        self.items.iter().filter(|item| item.nature == nature).count()
    }

    /// The bodies, those that others follow before those that follow them.
    pub fn bodies(&self) -> Vec<Digest> {
        self.in_order().map(|item| item.stored.body).collect()
    }

    /// All but what is void.
    fn in_order(&self) -> impl Iterator<Item = &Item> {
        let items = in_order(&self.items).into_iter().map(|at| &self.items[at]);
        items.filter(|item| !self.void.contains(&item.stored.body))
    }
}

/// Places of revisions such that each comes after those it follows.
fn in_order(items: &[Item]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..items.len()).collect();
    let mut order = Vec::with_capacity(items.len());
    while !left.is_empty() {
        let waits = |at: &usize| {
            let follows = |other: &usize| items[*at].metadata.parents.contains(&items[*other].stored.body);
            left.iter().any(follows)
        };
        // Digests cannot follow each other in a circle.
        let next = left.iter().position(|at| !waits(at)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// A revision that differs from the one that it follows in one field alone.
pub struct Following<'f> {
    /// The one that it follows.
    pub body: Digest,
    /// Its number.
    pub number: u64,
    /// The field, and what stands there now.
    pub field: (&'f str, &'f str),
}

impl Gate<'_> {
    /// Seals a revision anew, under a fresh key to the same label, as one that follows it. Its text stays, and who wrote that
    /// when; nothing of it comes out. One of the permits must be for keeping it.
    pub fn follow(
        &self,
        stored: StoredNote,
        following: &Following<'_>,
        recipients: &[Recipient],
        permits: Vec<Permit>,
        entropy: &mut dyn Entropy,
    ) -> Result<SealedNote, GateError> {
        let (note, me) = (stored.note, self.identity.person());
        let (label, key) = self.unwrap_key(note, &stored.wrap)?;
        let allowed = permits.iter().any(|permit| permit.lets(Action::Keep, me, note, &label));
        if !allowed || stored.body != following.body {
            return Err(GateError::NotAllowed);
        }
        let body = BodyFile::parse(&stored.sealed)?;
        let nature = body.purpose();
        let mut metadata = body.open_metadata(self.vault(), note, &key)?;
        metadata.parents = vec![stored.body];
        metadata.number = following.number;
        let (name, value) = following.field;
        metadata.fields.retain(|(known, _)| known != name);
        metadata.fields.push((name.to_owned(), value.to_owned()));
        metadata.fields.sort();
        let text = body.open_text(self.vault(), note, &key)?;
        let (body, key) = seal_body(self.vault(), note, nature, &metadata, text.expose(), entropy)?;
        self.wrap(note, body, &key, &label, recipients, entropy)
    }

    /// Looks at all of a note. Nothing of its content comes out.
    pub fn whole(&self, note: NoteId, stored: Vec<StoredNote>) -> Result<Whole, GateError> {
        let look = |stored: StoredNote| {
            let (label, key) = self.unwrap_key(note, &stored.wrap)?;
            let body = BodyFile::parse(&stored.sealed)?;
            let metadata = body.open_metadata(self.vault(), note, &key)?;
            Ok::<_, GateError>(Item {
                nature: body.purpose(),
                stored,
                label,
                key,
                conflict: self.is_in_conflict(&metadata),
                metadata,
            })
        };
        Ok(Whole {
            note,
            me: self.identity.person(),
            // What does not open its writer sealed so. It goes where the rest is forgotten, and is in nobody's way.
            items: self.sound(stored).0.into_iter().map(look).collect::<Result<_, _>>()?,
            void: BTreeSet::new(),
        })
    }

    /// Heads of the attachments, each with the parts that it names. Nothing else of them comes out.
    pub fn attached(&self, whole: &Whole) -> Result<Vec<(Digest, Vec<Digest>)>, GateError> {
        let heads = whole.in_order().filter(|item| item.nature == Purpose::Attachment);
        let parts = |item: &Item| {
            let (_, opener) = self.head(&item.stored, &item.key)?;
            Ok((item.stored.body, opener.into_info().parts))
        };
        heads.map(parts).collect()
    }

    /// Whether the attachment with the head `body` comes out of these parts as the head says, to its end: its writer may have
    /// sealed it otherwise. Nothing of it is given out. Without parts it does not.
    pub fn comes_out(&self, whole: &Whole, body: Digest, next: Option<impl NextPart>) -> Result<bool, LedgerError> {
        let item = whole.items.iter().find(|item| item.stored.body == body);
        let opener = item.and_then(|item| Some(self.head(&item.stored, &item.key).ok()?.1));
        opener
            .zip(next)
            .map_or(Ok(false), |(opener, next)| comes_out(opener, next))
    }

    /// Begins to seal the attachment with the head `body` anew, out of the parts that `next` gives, as
    /// [`reseal`](Self::reseal) will go on with it.
    pub fn reseal_attachment<N: NextPart>(
        &self,
        whole: &Whole,
        body: Digest,
        label: &Label,
        permits: &(Permit, Permit),
        next: N,
        entropy: &mut dyn Entropy,
    ) -> Result<Resealing<N>, GateError> {
        self.may_reseal(whole, label, permits)?;
        let item = whole.items.iter().find(|item| item.stored.body == body);
        let item = item.ok_or(GateError::NotAllowed)?;
        let (_, opener) = self.head(&item.stored, &item.key)?;
        let sealing = self.begin_attachment(whole.note, entropy)?;
        Ok(Resealing::new(body, opener, sealing, next))
    }

    /// Whether the first permits relabelling what it was, and the second adding what it becomes.
    fn may_reseal(&self, whole: &Whole, label: &Label, (from, to): &(Permit, Permit)) -> Result<(), GateError> {
        let old = whole.label().ok_or(GateError::NotAllowed)?;
        let allowed = whole.me == self.identity.person()
            && from.lets(Action::Relabel, whole.me, whole.note, &old)
            && to.lets(Action::Add, whole.me, whole.note, label);
        if allowed { Ok(()) } else { Err(GateError::NotAllowed) }
    }

    /// Seals every revision anew under a fresh key to `label`: who wrote it when and its number stay, what it follows is
    /// named by its new digest; and the head of every attachment, all of which must be among `resealed`. Where it says for
    /// whom it is by name, it says `readers` from now on; where it bore a higher level, it says which. The permits are for
    /// relabelling what it was and for adding what it becomes.
    pub fn reseal(
        &self,
        whole: &Whole,
        mut resealed: Vec<Resealed>,
        label: &Label,
        (recipients, readers): (&[Recipient], &str),
        permits: (Permit, Permit),
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<SealedNote>, GateError> {
        self.may_reseal(whole, label, &permits)?;
        let higher = whole.highest().filter(|highest| *highest > label.level());
        let mut renamed: BTreeMap<Digest, Digest> = BTreeMap::new();
        let mut sealed = Vec::with_capacity(whole.items.len());
        for item in whole.in_order() {
            let mut metadata = item.metadata.following(&renamed);
            metadata
                .fields
                .retain(|(name, _)| name != reserved::READERS || !readers.is_empty());
            let mut fields = metadata.fields.iter_mut();
            if let Some((_, value)) = fields.find(|(name, _)| name == reserved::READERS) {
                readers.clone_into(value);
            }
            metadata.fields.retain(|(name, _)| name != reserved::HIGHEST);
            if let Some(level) = higher {
                let at = metadata
                    .fields
                    .partition_point(|(name, _)| name.as_str() < reserved::HIGHEST);
                let said = (reserved::HIGHEST.to_owned(), level.number().to_string());
                metadata.fields.insert(at, said);
            }
            let (body, key) = match item.nature {
                Purpose::Attachment => {
                    let at = resealed.iter().position(|done| done.body == item.stored.body);
                    let done = resealed.swap_remove(at.ok_or(Unsealable::Unfinished)?);
                    let (body, key, _) = done.sealing.sealer.finish(&metadata)?;
                    (body, key)
                }
                nature => {
                    let body = BodyFile::parse(&item.stored.sealed)?;
                    let text = body.open_text(self.vault(), whole.note, &item.key)?;
                    seal_body(self.vault(), whole.note, nature, &metadata, text.expose(), entropy)?
                }
            };
            let new = self.wrap(whole.note, body, &key, label, recipients, entropy)?;
            renamed.insert(item.stored.body, new.digest);
            sealed.push(new);
        }
        Ok(sealed)
    }

    /// The drafts and briefs among `stored` that were made from `note`. Gives out ids and natures alone.
    pub fn made_from(&self, stored: Vec<StoredNote>, note: NoteId) -> Result<Vec<(NoteId, Purpose)>, GateError> {
        // The part of docs/FORMAT.md §10 that is looked at.
        #[derive(Deserialize)]
        struct Frame {
            sources: Vec<NoteId>,
        }
        let mut made = Vec::new();
        for item in self.sound(stored).0 {
            let body = BodyFile::parse(&item.sealed)?;
            let nature = body.purpose();
            if !matches!(nature, Purpose::Draft | Purpose::Brief) {
                continue;
            }
            let (_, key) = self.unwrap_key(item.note, &item.wrap)?;
            let text = body.open_text(self.vault(), item.note, &key)?;
            let frame: Option<Frame> = text.text().and_then(|text| serde_json::from_str(text).ok());
            if frame.is_some_and(|frame| frame.sources.contains(&note)) {
                made.push((item.note, nature));
            }
        }
        made.sort_unstable_by_key(|(note, nature)| (*nature, *note));
        made.dedup();
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::crypto::ExampleEntropy;
    use crate::envelope::{IdentitySecrets, Key, KeyUse, Keyring, WrapFile};
    use crate::gate::NewNote;
    use crate::id::{DeviceId, VaultId};
    use crate::label::{Clearance, Level};
    use crate::policy::{ActorFacts, Decision, Kind, Offline, PolicySet, Request, ResourceFacts, Role};
    use crate::session::Identity;

    const NOTE: NoteId = NoteId([9; 16]);

    fn identity(entropy: &mut ExampleEntropy) -> Identity {
        let secrets = IdentitySecrets::make(PersonId([1; 8]), "mara".into(), Digest([0; 32]), entropy).unwrap();
        Identity::from_secrets(VaultId([1; 16]), DeviceId([1; 8]), &secrets)
    }

    fn label(level: Level) -> Label {
        Label::new(level, []).unwrap()
    }

    fn permit(action: Action, label: &Label, note: NoteId) -> Permit {
        let mut resource = ResourceFacts::new(Kind::Note, label.clone());
        resource.own = true;
        let decision = PolicySet::shipped().unwrap().decide(&Request {
            action,
            actor: ActorFacts {
                person: PersonId([1; 8]),
                roles: BTreeSet::from([Role::OFFICER]),
                clearance: Clearance {
                    person: PersonId([1; 8]),
                    level: Level::Restricted,
                    compartments: BTreeSet::new(),
                },
                paused: false,
                ended: false,
            },
            resource,
            purpose: None,
            reason: None,
            now: 0,
            offline: Offline::Never,
            approvals: 0,
            lead_approvals: 0,
            people: 1,
        });
        match decision {
            Decision::Permitted(permission) => Permit::new(permission, [note]),
            Decision::Denied(denial) => panic!("{:?}", denial.why()),
        }
    }

    /// A revision that follows `parents`.
    fn revision(
        gate: &Gate<'_>,
        text: &str,
        number: u64,
        parents: &[&StoredNote],
        entropy: &mut ExampleEntropy,
    ) -> StoredNote {
        let mut parents: Vec<Digest> = parents.iter().map(|stored| stored.body).collect();
        parents.sort_unstable();
        let metadata = Metadata {
            title: text.into(),
            client: "Halcyon".into(),
            case: String::new(),
            created: 1,
            modified: number as i64,
            happened: None,
            author: PersonId([u8::try_from(number).unwrap(); 8]),
            parents,
            number,
            fields: vec![("zone".into(), "north".into())],
        };
        let sealed = gate.seal(
            &NewNote {
                note: NOTE,
                nature: Purpose::Note,
                metadata: &metadata,
                text,
                label: &label(Level::Internal),
                recipients: &[],
            },
            entropy,
        );
        stored(sealed.unwrap())
    }

    fn stored(sealed: SealedNote) -> StoredNote {
        StoredNote {
            note: NOTE,
            body: sealed.digest,
            wrap: WrapFile::parse(&sealed.wrap).unwrap(),
            sealed: sealed.body,
        }
    }

    #[test]
    fn a_graph_of_revisions_keeps_its_shape_under_another_label() {
        let mut entropy = ExampleEntropy::new("reseal");
        let me = identity(&mut entropy);
        let levels = [Level::Internal, Level::Restricted].map(KeyUse::Level);
        let ring = Keyring::new(levels.map(|usage| Key::make(usage, None, [0; 8], &mut entropy).unwrap()));
        let gate = Gate::new(&me, &ring);
        // Two heads over one beginning, and one that joins them; the last first.
        let first = revision(&gate, "first", 1, &[], &mut entropy);
        let left = revision(&gate, "left", 2, &[&first], &mut entropy);
        let right = revision(&gate, "right", 2, &[&first], &mut entropy);
        let joined = revision(&gate, "joined", 3, &[&left, &right], &mut entropy);
        let old: Vec<Digest> = [&joined, &right, &first, &left].map(|stored| stored.body).to_vec();
        let whole = gate
            .whole(NOTE, vec![joined, right, first, left])
            .unwrap_or_else(|e| panic!("{e}"));
        assert!(whole.bears(&label(Level::Internal)) && !whole.own() && whole.count(Purpose::Note) == 4);
        assert_eq!((whole.bodies()[0], whole.bodies()[3]), (old[2], old[0]));

        let target = label(Level::Restricted);
        let from = |label: &Label| permit(Action::Relabel, label, NOTE);
        let to = |label: &Label| permit(Action::Add, label, NOTE);
        let here = label(Level::Internal);
        for wrong in [
            (to(&here), to(&target)),
            (from(&target), to(&target)),
            (from(&here), to(&here)),
            (permit(Action::Relabel, &here, NoteId([8; 16])), to(&target)),
            (permit(Action::Read, &here, NOTE), to(&target)),
        ] {
            let refused = gate.reseal(&whole, vec![], &target, (&[], ""), wrong, &mut entropy);
            assert_eq!(refused.map(|sealed| sealed.len()), Err(GateError::NotAllowed));
        }
        let sealed = gate.reseal(
            &whole,
            vec![],
            &target,
            (&[], ""),
            (from(&here), to(&target)),
            &mut entropy,
        );
        let sealed: Vec<StoredNote> = sealed
            .unwrap_or_else(|e| panic!("{e}"))
            .into_iter()
            .map(stored)
            .collect();
        assert!(sealed.iter().all(|stored| !old.contains(&stored.body)));
        let again = gate.whole(NOTE, sealed).unwrap_or_else(|e| panic!("{e}"));
        assert!(again.bears(&target));
        let of = |title: &str| again.items.iter().find(|item| item.metadata.title == title).unwrap();
        let follows = |title: &str| of(title).metadata.parents.clone();
        let digests = |titles: &[&str]| {
            let mut digests: Vec<Digest> = titles.iter().map(|title| of(title).stored.body).collect();
            digests.sort_unstable();
            digests
        };
        assert_eq!(follows("first"), []);
        assert_eq!(follows("left"), digests(&["first"]));
        assert_eq!(follows("right"), digests(&["first"]));
        assert_eq!(follows("joined"), digests(&["left", "right"]));
        for (title, number) in [("first", 1), ("left", 2), ("right", 2), ("joined", 3)] {
            let item = of(title);
            let metadata = &item.metadata;
            assert_eq!(
                (metadata.number, metadata.created, metadata.modified),
                (number, 1, number as i64)
            );
            assert_eq!(metadata.author, PersonId([number as u8; 8]));
            assert_eq!(metadata.fields, [("zone".to_owned(), "north".to_owned())]);
            let body = BodyFile::parse(&item.stored.sealed).unwrap_or_else(|e| panic!("{e}"));
            let text = body.open_text(VaultId([1; 16]), NOTE, &item.key).unwrap();
            assert_eq!(text.expose(), title.as_bytes());
        }
    }

    #[test]
    fn whom_a_concern_leaves_out_no_label_lets_in() {
        let mut entropy = ExampleEntropy::new("left out");
        let me = identity(&mut entropy);
        let ring = Keyring::new([Key::make(KeyUse::Level(Level::Internal), None, [0; 8], &mut entropy).unwrap()]);
        let gate = Gate::new(&me, &ring);
        let lets_in = |left_out: Option<&str>, entropy: &mut ExampleEntropy| {
            let left_out = left_out.map(|people| (reserved::LEFT_OUT.to_owned(), people.to_owned()));
            let metadata = Metadata {
                title: "concern".into(),
                client: String::new(),
                case: String::new(),
                created: 1,
                modified: 1,
                happened: None,
                author: PersonId([1; 8]),
                parents: Vec::new(),
                number: 1,
                fields: left_out.into_iter().collect(),
            };
            let new = NewNote {
                note: NOTE,
                nature: Purpose::Note,
                metadata: &metadata,
                text: "text",
                label: &label(Level::Internal),
                recipients: &[],
            };
            let sealed = stored(gate.seal(&new, entropy).unwrap());
            let whole = gate.whole(NOTE, vec![sealed]).unwrap_or_else(|e| panic!("{e}"));
            let named = |people: &[&str]| {
                let people = people.iter().map(|&handle| handle.to_owned()).collect();
                whole.would_let_in(Some(&people))
            };
            [whole.would_let_in(None), named(&["@mara", "@jon"]), named(&["@mara"])]
        };
        assert_eq!(lets_in(None, &mut entropy), [false, false, false]);
        assert_eq!(lets_in(Some("@jon"), &mut entropy), [true, true, false]);
        assert_eq!(lets_in(Some("@ines, @jon"), &mut entropy), [true, true, false]);
        assert_eq!(lets_in(Some("@jonas"), &mut entropy), [true, false, false]);
    }
}
