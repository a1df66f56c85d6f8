//! A vault with many notes, for measurements and for tests: made through the library, so that the passphrase is
//! derived from once, and each note is an entry of its own as if it had been typed.

use std::path::PathBuf;
use strongroom::app::{Access, Clock, Context, Init, PassphraseSource, Person, Places, init};
use strongroom::chain::{Details, Kind, Time};
use strongroom::crypto::make_random;
use strongroom::env::SystemEntropy;
use strongroom::envelope::IdentityFile;
use strongroom::gate::{Gate, Metadata, Nature, NewNote};
use strongroom::id::NoteId;
use strongroom::label::{Label, Level};
use strongroom::ledger::{Changes, Draft, Ledger, note_ref, wrap_ref};
use strongroom::repo::{PATIENCE, Repo, Settings};
use strongroom::secret::Passphrase;
use strongroom::session::Identity;

pub(crate) const PASSPHRASE: &str = "orchid tractor velvet magnet";
/// When the first note was written.
pub(crate) const BEGIN: i64 = 1_795_253_400;
/// The words that notes are made of.
const WORDS: [&str; 32] = [
    "the", "north", "gate", "was", "checked", "at", "dusk", "and", "vehicle", "stopped", "on", "lane", "driver",
    "left", "before", "patrol", "came", "back", "from", "yard", "keys", "handed", "over", "to", "control", "nothing",
    "else", "seen", "café", "lights", "east", "fence",
];
const CLIENTS: [&str; 5] = ["Halcyon", "Grey Orchard", "Blackwater", "Lindenhof", ""];

/// A home with a vault in a folder that goes away with it.
pub(crate) struct Stock {
    pub(crate) folder: tempfile::TempDir,
    /// Where everything is.
    pub(crate) places: Places,
    /// The founder's identity, unlocked.
    pub(crate) identity: Identity,
    /// This device's folder for the vault.
    pub(crate) state: PathBuf,
    /// The notes, in the order they were written.
    pub(crate) ids: Vec<NoteId>,
}

/// Nobody is at the terminal.
pub(crate) struct Nobody;

impl Person for Nobody {
    fn answers(&self) -> bool {
        false
    }

    fn files_in(&self, folder: &std::path::Path) -> Result<Vec<String>, strongroom::app::Error> {
        strongroom::app::list_files(folder)
    }

    fn passphrase(&self, _: &str) -> Result<Passphrase, strongroom::app::Error> {
        unreachable!("the passphrase is in a file")
    }
    fn warn(&self, _: &str) {}
    fn line(&self, _: &str) -> Option<String> {
        None
    }
    fn open(&self, path: &std::path::Path) -> Result<std::fs::File, strongroom::app::Error> {
        strongroom::app::open_file(path)
    }
    fn create(&self, path: &std::path::Path) -> Result<Box<dyn strongroom::app::NewFile>, strongroom::app::Error> {
        strongroom::app::new_file(path)
    }
}

impl Stock {
    /// A vault without notes.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::under(folder.path());
        std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
        let stock = Self::context_in(&folder, &places);
        let name = "mara".to_owned();
        let made = init(
            &stock,
            &Init {
                name,
                recovery_key: None,
                insist: false,
            },
        )
        .unwrap();
        let file = IdentityFile::parse(&std::fs::read(&made.identity).unwrap()).unwrap();
        let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
        let state = places.state(&made.vault, &identity.device());
        Self {
            folder,
            places,
            identity,
            state,
            ids: Vec::new(),
        }
    }

    /// A vault with `notes` notes of 2 KB.
    pub(crate) fn of(notes: usize) -> Self {
        let mut stock = Self::new();
        stock.grow(notes);
        stock
    }

    /// Writes `notes` notes more.
    pub(crate) fn grow(&mut self, notes: usize) {
        let repo = self.repo();
        let mut ledger = self.start(&repo);
        let mut made = Vec::with_capacity(notes);
        for n in self.ids.len()..self.ids.len() + notes {
            let note = NoteId(make_random(&mut SystemEntropy).unwrap());
            let now = Time::from_unix(BEGIN + n as i64 * 60);
            let changes = seal(&self.identity, &ledger, note, n, now);
            let draft = Draft::change(Kind::Add, Details::new("add"), vec![note], changes);
            let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
            made.push(note);
        }
        drop(ledger);
        self.ids.extend(made);
    }

    /// The repository.
    pub(crate) fn repo(&self) -> Repo {
        Repo::open(&self.places.vault(), Settings::of_this_run()).unwrap()
    }

    /// The ledger, started.
    pub(crate) fn start<'a>(&'a self, repo: &'a Repo) -> Ledger<'a> {
        Ledger::start(repo, &self.identity, &self.state, PATIENCE, None).unwrap()
    }

    /// What a use case is given: here the passphrase comes from a file.
    pub(crate) fn context(&self) -> Context<'static> {
        Self::context_in(&self.folder, &self.places)
    }

    fn context_in(folder: &tempfile::TempDir, places: &Places) -> Context<'static> {
        Context {
            places: places.clone(),
            clock: Clock::System,
            source: Some(PassphraseSource::File(folder.path().join("passphrase"))),
            person: &Nobody,
            access: Access::given(Some("duty".into()), Some("shift briefing".into())).unwrap(),
            held: None,
        }
    }
}

/// The text of the `n`-th note: about 2 KB of common words, with `marker<n>` in it, and in each hundredth `kestrel`.
pub(crate) fn text(n: usize) -> String {
    let mut state = n as u64 + 1;
    let mut text = format!("marker{n} ");
    if n.is_multiple_of(100) {
        text.push_str("Kestrel was seen. ");
    }
    while text.len() < 2000 {
        // A step of a linear congruential generator (Knuth, MMIX): the same text for the same number.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(state >> 59) as usize]);
        text.push(if state >> 55 & 15 == 0 { '\n' } else { ' ' });
    }
    text
}

/// What an entry writes that records the `n`-th note.
pub(crate) fn seal(identity: &Identity, ledger: &Ledger<'_>, note: NoteId, n: usize, now: Time) -> Changes {
    let metadata = Metadata {
        title: format!("Patrol {n}"),
        client: CLIENTS[n % CLIENTS.len()].into(),
        case: String::new(),
        created: now.unix(),
        modified: now.unix(),
        happened: None,
        author: identity.person(),
        parents: Vec::new(),
        number: 1,
        fields: Vec::new(),
    };
    let level = [Level::Internal, Level::Confidential, Level::Restricted][n % 3];
    let new = NewNote {
        note,
        nature: Nature::Note,
        metadata: &metadata,
        text: &text(n),
        label: &Label::new(level, []).unwrap(),
        recipients: &[],
    };
    let sealed = Gate::new(identity, ledger.keyring())
        .seal(&new, &mut SystemEntropy)
        .unwrap();
    let mut changes = Changes::default();
    changes.write_digested(note_ref(note), note, sealed.body);
    changes.write_digested(wrap_ref(note), note, sealed.wrap);
    changes
}
