//! A pack for a court: notes, what is attached, who had them in hand, and proofs that somebody without this program checks.

use super::super::audit::local_mark;
use super::super::context::Context;
use super::super::error::{Error, Kind};
use super::super::reports::given;
use super::custody::Custody;
use super::files::{Files, MANIFEST, SIGNATURE, check_notice, filled, hex, number_of, plain_name, pretty, shown};
use super::taking::{PictureOut, Taken, that_come_out, write_contents};
use super::{Which, by_note, check_recipients};
use crate::casework::{reserved, value_of};
use crate::chain::{Namespace, Receipt, Time, public_line};
use crate::gate::{Handed, Nature};
use crate::id::{Digest, EntryRef, NoteId};
use crate::ledger::{AllProven, Anchors};
use crate::repo::{Repo, Settings};
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

const README: &str = include_str!("pack-readme.md");
const CHECK: &str = include_str!("check.py");
/// The largest receipt that is read, in bytes.
const RECEIPT_MAX: u64 = 8 << 20;
/// What stands before an Ed25519 key in the form that openssl reads (RFC 8410).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// How complete the list of custody is.
const ALL_OPENED: &str = "Whoever made the pack oversees the log, and all of it opened for them: `custody.csv` has every entry \
                          about these notes, and about drafts and briefs that were made of them.";
const SOME_CLOSED: &str =
    "`custody.csv` may lack entries: whoever made the pack oversees the log, but not with all its keys. ";
const OWN_ALONE: &str = "`custody.csv` lacks what others read: whoever made the pack sees of the log their own entries, and of \
                         others what stands in clear. ";
const CLOSED_END: &str = "of the reads, drafts and releases in the log did not open for them, and whether these concern the notes in this pack cannot be seen \
                          from here; an auditor of the vault could say.";

/// What is to be packed.
pub struct PackQuery {
    /// Which notes.
    pub which: Which,
    /// To whom it goes.
    pub to: Vec<String>,
    /// Words that whoever gets it has to see first.
    pub notice: Option<String>,
    /// Proofs lead to the checkpoints of this receipt, as far as it reaches.
    pub receipt: Option<PathBuf>,
    /// The new folder.
    pub out: PathBuf,
}

/// A pack that was made.
pub struct ExportedPack {
    /// How many notes are in it.
    pub notes: usize,
    /// How many texts.
    pub texts: usize,
    /// How many attachments.
    pub attachments: usize,
    /// Which of them are pictures that tell something beside the picture, or may.
    pub pictures: Vec<PictureOut>,
    /// How many entries of the log.
    pub entries: usize,
    /// How many reads of others did not open, so that it is not known whether they concern these notes.
    pub closed: u64,
    /// Digest of the manifest.
    pub sha256: Digest,
    /// The entry under which it left.
    pub entry: EntryRef,
}

/// Makes a pack. What it will hold is read under one entry; another has its digest, and is durable before a byte of it is
/// written. It is there under its name once it is whole.
pub fn export_pack(context: &Context<'_>, query: &PackQuery) -> Result<ExportedPack, Error> {
    check_recipients(&query.to)?;
    check_notice(query.notice.as_deref())?;
    // What is in the way is said before anything is looked at.
    let folder = context.person.create_folder(&query.out)?;
    let receipt = match &query.receipt {
        None => None,
        Some(path) => Some(Receipt::find(&given(context, path, RECEIPT_MAX)?)?),
    };
    let unlocked = context.unlock()?;
    let (taken, handed) = {
        let mut desk = unlocked.desk(context)?;
        let (taken, handed) = desk.take_out(&query.which)?;
        if let Some(refused) = refuse_concern(handed.iter().map(|item| (item.note, item.metadata.fields.as_slice()))) {
            let details = desk.details("export pack");
            return Err(desk.failed(details, taken.notes.clone(), refused));
        }
        (taken, handed)
    };
    let handed = that_come_out(context, &unlocked, handed)?;
    let proven = prove(context, &taken.custody, receipt.as_ref())?;
    let mut files = Files::default();
    let counted = add_notes(&mut files, &taken, handed)?;
    add_log(&mut files, &proven)?;
    files.add("custody.csv", taken.custody.table());
    files.add("check.py", CHECK);
    let identity = &unlocked.identity;
    let signer = format!(
        "{} namespaces=\"export@strongroom\" {}\n",
        taken.handle,
        public_line(&identity.public_key())
    );
    files.add("signers", signer);
    files.add("pack.json", pretty(&taken.index(query, identity, &proven)));
    files.add("README.md", taken.readme(query, &counted));
    let manifest = files.manifest();
    let signature = identity.sign(Namespace::Export, manifest.as_bytes());
    let sha256 = crate::crypto::sha256(&[manifest.as_bytes()]);
    files.add(MANIFEST, manifest);
    files.add(SIGNATURE, signature);

    let (entry, contents) = {
        let mut desk = unlocked.desk(context)?;
        desk.give_out("export pack", &query.which, &query.to, &taken, sha256)?
    };
    let attached = files.write(&*folder)?;
    let entries = proven.proofs.len();
    let pictures = write_contents(context, &unlocked, &*folder, &attached, contents)?;
    folder.keep()?;
    Ok(ExportedPack {
        notes: taken.notes.len(),
        texts: counted.texts,
        attachments: attached.len(),
        pictures,
        entries,
        closed: taken.custody.closed,
        sha256,
        entry,
    })
}

/// A pack has the content keys of its notes, and so what is sealed in them: the key of the answers to a concern without a name,
/// and whom the author of one left out.
fn refuse_concern<'a>(mut notes: impl Iterator<Item = (NoteId, &'a [(String, String)])>) -> Option<Error> {
    let untold = |fields: &[(String, String)]| {
        let has = |name| value_of(fields, name).is_some();
        let reply = has(reserved::REPLY_KEY).then_some("a pack of it would let others read and make the answers to it");
        reply.or(has(reserved::LEFT_OUT).then_some("a pack of it would name whom its author left out"))
    };
    let (note, why) = notes.find_map(|(note, fields)| Some((note, untold(fields)?)))?;
    let words = format!("note {note} is a concern, and {why}; nothing was written");
    Some(
        Error::new(Kind::Denied, words).hint("name the other notes, and give of this one what `strongroom show` shows"),
    )
}

/// What came of the notes, for whoever reads about it.
#[derive(Default)]
struct Counted {
    texts: usize,
    contents: String,
    /// The first text.
    example: Option<String>,
}

/// Proves all entries of the custody; with the newest checkpoint of each log that they stand in.
fn prove(context: &Context<'_>, custody: &Custody, receipt: Option<&Receipt>) -> Result<AllProven, Error> {
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?;
    let mark = local_mark(context, &repo)?;
    let anchors = Anchors {
        receipt,
        high_water: mark.as_ref(),
        witnesses: &[],
        now: context.now(),
        deep: false,
    };
    let places = custody.places();
    Ok(crate::ledger::prove_all(&repo, &anchors, &places, receipt)?)
}

/// Texts, sealed bodies and what is known of them.
fn add_notes(files: &mut Files, taken: &Taken, handed: Vec<Handed>) -> Result<Counted, Error> {
    let mut counted = Counted::default();
    for (note, mut items) in by_note(handed, |item| item.note) {
        let folder = format!("notes/{note}");
        items.sort_by(|a, b| {
            let order = |item: &Handed| (item.metadata.number, item.metadata.modified, item.body);
            order(a).cmp(&order(b))
        });
        let (mut revisions, mut attachments) = (Vec::new(), Vec::new());
        let (mut texts, mut names) = (BTreeSet::new(), BTreeSet::new());
        let mut newest = String::new();
        for item in items {
            let (entry, recorded) = taken.custody.written(note, item.body)?;
            let metadata = &item.metadata;
            let mut told = json!({
                "digest": item.body.to_string(),
                "key": hex(&*item.key),
                "entry": entry.to_string(),
                "recorded": recorded,
                "created": Time::from_unix(metadata.created).to_string(),
                "modified": Time::from_unix(metadata.modified).to_string(),
                "author": {
                    "person": metadata.author.to_string(),
                    "handle": taken.handles.get(&metadata.author),
                },
            });
            files.add(format!("{folder}/sealed/{}", item.body), item.sealed.clone());
            match &item.attachment {
                Some(attachment) => {
                    let file = format!("attachments/{}", plain_name(&attachment.name, &mut names));
                    told["name"] = attachment.name.clone().into();
                    told["size"] = attachment.size.into();
                    told["sha256"] = attachment.sha256.to_string().into();
                    files.add_attached(format!("{folder}/{file}"), item.body, attachment.sha256);
                    told["file"] = file.into();
                    attachments.push(told);
                }
                None if item.nature == Nature::Note => {
                    let file = plain_name(&format!("revision-{}.md", metadata.number), &mut texts);
                    told["number"] = metadata.number.into();
                    told["title"] = metadata.title.clone().into();
                    told["client"] = metadata.client.clone().into();
                    told["case"] = metadata.case.clone().into();
                    told["happened"] = metadata.happened.map(|at| Time::from_unix(at).to_string()).into();
                    told["follows"] = metadata.parents.iter().map(ToString::to_string).collect();
                    told["fields"] = metadata
                        .fields
                        .iter()
                        .map(|(name, value)| json!([name, value]))
                        .collect();
                    files.add(format!("{folder}/{file}"), item.text());
                    counted.example.get_or_insert_with(|| format!("{folder}/{file}"));
                    newest.clone_from(&metadata.title);
                    told["file"] = file.into();
                    revisions.push(told);
                }
                None => {
                    let words = format!("note {note} holds something that is neither a text nor an attachment");
                    return Err(Error::new(Kind::Failed, words));
                }
            }
        }
        counted.texts += revisions.len();
        let (revised, attached) = (revisions.len(), attachments.len());
        counted.contents.push_str(&format!(
            "- `notes/{note}`: {} ({}, {})\n",
            shown(&newest),
            number_of(revised, "revision"),
            number_of(attached, "attachment"),
        ));
        let about = json!({
            "v": 1,
            "id": note.to_string(),
            "label": taken.labels.get(&note),
            "revisions": revisions,
            "attachments": attachments,
        });
        files.add(format!("{folder}/about.json"), pretty(&about));
    }
    Ok(counted)
}

/// Entries with their proofs, and the logs' keys and checkpoints.
fn add_log(files: &mut Files, proven: &AllProven) -> Result<(), Error> {
    for proof in &proven.proofs {
        let place = proof.proof.place();
        let folder = format!("log/{}", place.log);
        files.add(format!("{folder}/{}.tlog-proof", place.seq), proof.proof.to_text());
        // The last entry of a log leads to its newest checkpoint.
        files.add(format!("{folder}/checkpoint"), proof.proof.checkpoint.signed.to_text());
        files.add(format!("{folder}/log-key"), format!("{}\n", proof.key));
        let key = [&SPKI[..], &proof.key.key().0].concat();
        let pem = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            Base64::encode_string(&key)
        );
        files.add(format!("{folder}/key.pem"), pem);
    }
    Ok(())
}

impl Taken {
    /// Who made the pack, of what, for whom.
    fn index(&self, query: &PackQuery, identity: &crate::session::Identity, proven: &AllProven) -> Value {
        json!({
            "v": 1,
            "vault": identity.vault().to_string(),
            "founder": proven.founder.map(|founder| founder.to_string()),
            "roster": proven.roster.map(|roster| roster.to_string()),
            "made": self.made.to_string(),
            "by": {
                "person": identity.person().to_string(),
                "handle": self.handle,
                "device": identity.device().to_string(),
            },
            "to": query.to,
            "notice": query.notice,
            "notes": self.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "entry": self.read.to_string(),
            "oversees": self.custody.oversees,
            "closed": self.custody.closed,
        })
    }

    fn readme(&self, query: &PackQuery, counted: &Counted) -> String {
        let custody = match (self.custody.oversees, self.custody.closed) {
            (true, 0) => ALL_OPENED.to_owned(),
            (true, closed) => format!("{SOME_CLOSED}{closed} {CLOSED_END}"),
            (false, closed) => format!("{OWN_ALONE}{closed} {CLOSED_END}"),
        };
        let notice = query
            .notice
            .as_deref()
            .map(|notice| format!("> {}\n\n", notice.replace('\n', "\n> ")));
        let to = match query.to.as_slice() {
            [] => String::new(),
            names => format!(", for {}", shown(&names.join(", "))),
        };
        let title = match (&query.which.case, &query.which.client) {
            (Some(case), _) => format!("Pack of case {}", shown(case)),
            (None, Some(client)) => format!("Pack of client {}", shown(client)),
            (None, None) => format!("Pack of {}", number_of(self.notes.len(), "note")),
        };
        let words = [
            ("{title}", title),
            ("{notice}", notice.unwrap_or_default()),
            ("{made}", self.made.to_string()),
            ("{by}", self.handle.clone()),
            ("{handle}", self.handle.clone()),
            ("{vault}", self.vault.to_string()),
            ("{to}", to),
            ("{mark}", self.mark.clone()),
            ("{contents}", counted.contents.clone()),
            ("{lines}", CHECK.lines().count().to_string()),
            ("{custody}", custody),
            ("{log}", self.read.log.to_string()),
            ("{seq}", self.read.seq.to_string()),
            ("{example}", counted.example.clone().unwrap_or_default()),
        ];
        filled(README, &words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concern_without_a_name_is_not_packed_with_the_key_of_its_answers() {
        let field = |name: &str| vec![(name.to_owned(), "0a".to_owned())];
        let (plain, concern) = (field("readers"), field(reserved::REPLY_KEY));
        let left_out = field(reserved::LEFT_OUT);
        let refused = |notes: &[&[(String, String)]]| {
            let notes = notes
                .iter()
                .enumerate()
                .map(|(n, fields)| (NoteId([n as u8; 16]), *fields));
            refuse_concern(notes).map(|error| (error.kind, error.message))
        };
        assert_eq!(refused(&[&plain, &[]]), None);
        let (kind, message) = refused(&[&plain, &concern]).unwrap_or((Kind::Failed, String::new()));
        assert_eq!(kind, Kind::Denied);
        assert!(message.contains(&NoteId([1; 16]).to_string()) && !message.contains("0a"));
        let (kind, message) = refused(&[&left_out]).unwrap_or((Kind::Failed, String::new()));
        assert_eq!(kind, Kind::Denied);
        assert!(message.contains("left out") && !message.contains("0a"));
    }
}
