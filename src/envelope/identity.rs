//! The identity file: the secrets of one device under a passphrase (docs/FORMAT.md §3), once a vault has admitted it and
//! before that.

use super::{BadEnvelope, padding};
use crate::crypto::{
    Argon2Params, BadArgon2Params, Entropy, NoEntropy, NoMemory, derive_key, make_random, make_secret, same_bytes,
    sha256, xopen, xseal,
};
use crate::id::{DeviceId, Digest, PersonId, VaultId};
use crate::secret::{Passphrase, Plaintext, Secret};
use base64ct::{Base64, Encoding};
use minicbor::{Decoder, Encoder};
use zeroize::Zeroizing;

const IDENTITY: &str = "strongroom-identity-v";
const NEWCOMER: &str = "strongroom-newcomer-v";
const WHAT: &str = "identity file";
/// The longest identity file that is read, in bytes.
const MAX: usize = 16 * 1024;

/// An identity file as it lies on disk: readable, not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFile {
    /// The vault it belongs to.
    pub vault: VaultId,
    /// The device it is.
    pub device: DeviceId,
    locked: Locked,
}

/// The identity file of a device that asked to be admitted and belongs to no vault yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewcomerFile {
    /// The device it is.
    pub device: DeviceId,
    locked: Locked,
}

/// Something sealed under a passphrase, below lines in clear that say what it is: its `begin`, which is authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Locked {
    params: Argon2Params,
    salt: [u8; 16],
    commitment: [u8; 32],
    sealed: Vec<u8>,
}

/// Why an identity file was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// The identity of a device that no vault has admitted yet.
    #[error("this identity belongs to no vault yet")]
    Newcomer,
    /// Another kind of file.
    #[error("this is not a strongroom identity file: its first line is not `strongroom-identity-v1`")]
    OtherFile,
    /// A later version.
    #[error("this identity file is of another version than 1; a newer strongroom may read it")]
    OtherVersion,
    /// A byte changed, or a line is missing.
    #[error("the identity file is damaged; restore it from a backup, or use the recovery key")]
    Damaged,
    /// The key derivation's cost is out of bounds.
    #[error("the identity file was altered: {0}")]
    Cost(#[from] BadArgon2Params),
    /// The passphrase is not the one.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The system has too little memory for it.
    #[error(transparent)]
    NoMemory(#[from] NoMemory),
}

/// Why an identity file was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotLocked {
    /// The system gave no randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// The system has too little memory for it.
    #[error(transparent)]
    NoMemory(#[from] NoMemory),
}

/// What an identity file keeps.
pub struct IdentitySecrets {
    /// Whose device this is.
    pub person: PersonId,
    /// The name this person goes by.
    pub handle: String,
    /// Seed of the device's Ed25519 key.
    pub signing_seed: Secret<32>,
    /// Seed of the device's X-Wing key.
    pub recipient_seed: Secret<32>,
    /// Key that authenticates this device's local state.
    pub local_state: Secret<32>,
    /// Digest of the founder's card: where trust in the roster begins.
    pub founder_pin: Digest,
}

/// What the identity file of a newcomer keeps: all but whose device it is, and of which vault.
pub struct NewcomerSecrets {
    /// The name this person asked for.
    pub handle: String,
    /// Seed of the device's Ed25519 key.
    pub signing_seed: Secret<32>,
    /// Seed of the device's X-Wing key.
    pub recipient_seed: Secret<32>,
    /// Key that authenticates this device's local state.
    pub local_state: Secret<32>,
}

impl NewcomerSecrets {
    /// Fresh secrets for a device.
    pub fn make(handle: String, entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self {
            handle,
            signing_seed: make_secret(entropy)?,
            recipient_seed: make_secret(entropy)?,
            local_state: make_secret(entropy)?,
        })
    }

    /// The same device, admitted: as one of that person, whom the vault calls so, in the vault of that founder.
    pub fn admitted(self, person: PersonId, handle: String, founder_pin: Digest) -> IdentitySecrets {
        IdentitySecrets {
            person,
            handle,
            signing_seed: self.signing_seed,
            recipient_seed: self.recipient_seed,
            local_state: self.local_state,
            founder_pin,
        }
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(512));
        let mut cbor = Encoder::new(&mut *out);
        let written = (|| {
            cbor.map(4)?.u8(1)?.str(&self.handle)?;
            cbor.u8(2)?.bytes(self.signing_seed.expose())?;
            cbor.u8(3)?.bytes(self.recipient_seed.expose())?;
            cbor.u8(4)?.bytes(self.local_state.expose())?;
            Ok::<_, minicbor::encode::Error<_>>(())
        })();
        // INVARIANT (infallible writer): a Vec takes every byte; a cut encoding must never be sealed.
        assert!(written.is_ok(), "encoding to memory does not fail");
        out
    }

    pub(super) fn decode(plain: &Plaintext) -> Result<Self, BadIdentity> {
        let parse = || {
            let mut cbor = Decoder::new(plain.expose());
            if cbor.map().ok()? != Some(4) || cbor.u8().ok()? != 1 {
                return None;
            }
            let secrets = Self {
                handle: cbor.str().ok()?.to_owned(),
                signing_seed: seed(&mut cbor, 2)?,
                recipient_seed: seed(&mut cbor, 3)?,
                local_state: seed(&mut cbor, 4)?,
            };
            (secrets.encode().as_slice() == plain.expose()).then_some(secrets)
        };
        parse().ok_or(BadIdentity::Damaged)
    }
}

fn field(cbor: &mut Decoder<'_>, key: u8) -> Option<Vec<u8>> {
    (cbor.u8().ok()? == key).then_some(())?;
    Some(cbor.bytes().ok()?.to_vec())
}

fn seed(cbor: &mut Decoder<'_>, key: u8) -> Option<Secret<32>> {
    Secret::copy_from(&Zeroizing::new(field(cbor, key)?))
}

impl IdentitySecrets {
    /// Fresh secrets for a device.
    pub fn make(
        person: PersonId,
        handle: String,
        founder_pin: Digest,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        Ok(Self {
            person,
            handle,
            signing_seed: make_secret(entropy)?,
            recipient_seed: make_secret(entropy)?,
            local_state: make_secret(entropy)?,
            founder_pin,
        })
    }

    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Room enough that the vector never moves and leaves no copy behind.
        let mut out = Zeroizing::new(Vec::with_capacity(512));
        let mut cbor = Encoder::new(&mut *out);
        let written = (|| {
            cbor.map(6)?
                .u8(0)?
                .bytes(self.person.as_bytes())?
                .u8(1)?
                .str(&self.handle)?;
            cbor.u8(2)?
                .bytes(self.signing_seed.expose())?
                .u8(3)?
                .bytes(self.recipient_seed.expose())?;
            cbor.u8(4)?
                .bytes(self.local_state.expose())?
                .u8(5)?
                .bytes(self.founder_pin.as_bytes())?;
            Ok::<_, minicbor::encode::Error<_>>(())
        })();
        // INVARIANT (infallible writer): a Vec takes every byte; a cut encoding must never be sealed.
        assert!(written.is_ok(), "encoding to memory does not fail");
        out
    }

    pub(super) fn decode(plain: &Plaintext) -> Result<Self, BadIdentity> {
        let parse = || {
            let mut cbor = Decoder::new(plain.expose());
            if cbor.map().ok()? != Some(6) {
                return None;
            }
            let person = PersonId::try_from(field(&mut cbor, 0)?.as_slice()).ok()?;
            (cbor.u8().ok()? == 1).then_some(())?;
            let handle = cbor.str().ok()?.to_owned();
            let secrets = Self {
                person,
                handle,
                signing_seed: seed(&mut cbor, 2)?,
                recipient_seed: seed(&mut cbor, 3)?,
                local_state: seed(&mut cbor, 4)?,
                founder_pin: Digest::try_from(field(&mut cbor, 5)?.as_slice()).ok()?,
            };
            (secrets.encode().as_slice() == plain.expose()).then_some(secrets)
        };
        parse().ok_or(BadIdentity::Damaged)
    }
}

impl Locked {
    fn seal(
        begin: &str,
        plain: &[u8],
        passphrase: &Passphrase,
        params: Argon2Params,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NotLocked> {
        let mut locked = Self {
            params,
            salt: make_random(entropy)?,
            commitment: [0; 32],
            sealed: Vec::new(),
        };
        let key = params.derive(passphrase, &locked.salt)?;
        let head = locked.head(begin);
        locked.commitment = *derive_key(key.expose(), "strongroom/1/identity commitment", &[head.as_bytes()]).expose();
        let seal_key = derive_key(key.expose(), "strongroom/1/identity seal", &[head.as_bytes()]);
        let aad = format!("{head}{}", locked.commitment_line());
        locked.sealed = xseal(&seal_key, aad.as_bytes(), &padding::pad(plain), entropy)?;
        Ok(locked)
    }

    /// Opens it. Costs what its key derivation asks for.
    fn open(&self, begin: &str, passphrase: &Passphrase) -> Result<Plaintext, BadIdentity> {
        let key = self.params.derive(passphrase, &self.salt)?;
        let head = self.head(begin);
        let commitment = derive_key(key.expose(), "strongroom/1/identity commitment", &[head.as_bytes()]);
        if !same_bytes(commitment.expose(), &self.commitment) {
            return Err(BadIdentity::WrongPassphrase);
        }
        let seal_key = derive_key(key.expose(), "strongroom/1/identity seal", &[head.as_bytes()]);
        let aad = format!("{head}{}", self.commitment_line());
        let padded = xopen(&seal_key, aad.as_bytes(), &self.sealed).map_err(|_| BadIdentity::Damaged)?;
        padding::unpad(WHAT, padded.expose()).map_err(|_: BadEnvelope| BadIdentity::Damaged)
    }

    fn head(&self, begin: &str) -> String {
        format!(
            "{begin}kdf argon2id m={} t={} p={} salt={}\n",
            self.params.memory_kib(),
            self.params.passes(),
            self.params.lanes(),
            Base64::encode_string(&self.salt),
        )
    }

    fn commitment_line(&self) -> String {
        format!("commitment {}\n", Base64::encode_string(&self.commitment))
    }

    fn to_text(&self, begin: &str) -> String {
        let body = format!(
            "{}{}sealed {}\n",
            self.head(begin),
            self.commitment_line(),
            Base64::encode_string(&self.sealed)
        );
        let check = sha256(&[body.as_bytes()]);
        format!("{body}check {check}\n")
    }

    /// Reads the lines after the begin; `text` is the whole file.
    fn parse<'t>(text: &'t str, lines: &mut impl Iterator<Item = &'t str>) -> Result<Self, BadIdentity> {
        let mut after = |word| line(lines, word);
        let mut kdf = after("kdf argon2id ")?.split(' ');
        let mut part = |name: &str| {
            kdf.next()
                .and_then(|part| part.strip_prefix(name))
                .ok_or(BadIdentity::Damaged)
        };
        let number = |text: &str| text.parse::<u32>().map_err(|_| BadIdentity::Damaged);
        let (memory, passes, lanes) = (number(part("m=")?)?, number(part("t=")?)?, number(part("p=")?)?);
        let salt = decode_array(part("salt=")?)?;
        let commitment = decode_array(after("commitment ")?)?;
        let sealed = Base64::decode_vec(after("sealed ")?).map_err(|_| BadIdentity::Damaged)?;
        // The checksum goes before the bounds: a flipped bit is damage, not an attack.
        let check: Digest = after("check ")?.parse().map_err(|_| BadIdentity::Damaged)?;
        let body = text.rfind("check ").map(|at| &text[..at]).unwrap_or_default();
        if sha256(&[body.as_bytes()]) != check {
            return Err(BadIdentity::Damaged);
        }
        Ok(Self {
            params: Argon2Params::new(memory, passes, lanes)?,
            salt,
            commitment,
            sealed,
        })
    }
}

/// What a line says after a word.
fn line<'t>(lines: &mut impl Iterator<Item = &'t str>, word: &str) -> Result<&'t str, BadIdentity> {
    let line = lines.next().and_then(|line| line.strip_prefix(word));
    line.ok_or(BadIdentity::Damaged)
}

/// The text of a file of that kind and of this version.
fn text_of<'b>(bytes: &'b [u8], kind: &str) -> Result<&'b str, BadIdentity> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadIdentity::Damaged);
    let rest = match bytes.strip_prefix(kind.as_bytes()) {
        Some(rest) => rest,
        None if bytes.starts_with(NEWCOMER.as_bytes()) => return Err(BadIdentity::Newcomer),
        None => return Err(BadIdentity::OtherFile),
    };
    match rest.starts_with(b"1\n") {
        true if bytes.len() <= MAX => text,
        true => Err(BadIdentity::Damaged),
        false => Err(BadIdentity::OtherVersion),
    }
}

impl IdentityFile {
    /// Seals `secrets` under `passphrase`.
    pub fn seal(
        vault: VaultId,
        device: DeviceId,
        secrets: &IdentitySecrets,
        passphrase: &Passphrase,
        params: Argon2Params,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NotLocked> {
        let locked = Locked::seal(
            &Self::begin(vault, device),
            &secrets.encode(),
            passphrase,
            params,
            entropy,
        )?;
        Ok(Self { vault, device, locked })
    }

    /// Opens it. Costs what its key derivation asks for.
    pub fn open(&self, passphrase: &Passphrase) -> Result<IdentitySecrets, BadIdentity> {
        let begin = Self::begin(self.vault, self.device);
        IdentitySecrets::decode(&self.locked.open(&begin, passphrase)?)
    }

    fn begin(vault: VaultId, device: DeviceId) -> String {
        format!("{IDENTITY}1\nvault {vault}\ndevice {device}\n")
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        self.locked.to_text(&Self::begin(self.vault, self.device))
    }

    /// Reads a file's text; strict, and cheap: nothing is derived.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadIdentity> {
        let text = text_of(bytes, IDENTITY)?;
        let mut lines = text.lines().skip(1);
        let damaged = |_| BadIdentity::Damaged;
        let file = Self {
            vault: line(&mut lines, "vault ")?.parse().map_err(damaged)?,
            device: line(&mut lines, "device ")?.parse().map_err(damaged)?,
            locked: Locked::parse(text, &mut lines)?,
        };
        match file.to_text() == text {
            true => Ok(file),
            false => Err(BadIdentity::Damaged),
        }
    }
}

impl NewcomerFile {
    /// Seals `secrets` under `passphrase`.
    pub fn seal(
        device: DeviceId,
        secrets: &NewcomerSecrets,
        passphrase: &Passphrase,
        params: Argon2Params,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NotLocked> {
        let locked = Locked::seal(&Self::begin(device), &secrets.encode(), passphrase, params, entropy)?;
        Ok(Self { device, locked })
    }

    /// Opens it. Costs what its key derivation asks for.
    pub fn open(&self, passphrase: &Passphrase) -> Result<NewcomerSecrets, BadIdentity> {
        NewcomerSecrets::decode(&self.locked.open(&Self::begin(self.device), passphrase)?)
    }

    fn begin(device: DeviceId) -> String {
        format!("{NEWCOMER}1\ndevice {device}\n")
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        self.locked.to_text(&Self::begin(self.device))
    }

    /// Reads a file's text; strict, and cheap: nothing is derived.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadIdentity> {
        let text = text_of(bytes, NEWCOMER)?;
        let mut lines = text.lines().skip(1);
        let file = Self {
            device: line(&mut lines, "device ")?.parse().map_err(|_| BadIdentity::Damaged)?,
            locked: Locked::parse(text, &mut lines)?,
        };
        match file.to_text() == text {
            true => Ok(file),
            false => Err(BadIdentity::Damaged),
        }
    }
}

fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], BadIdentity> {
    let bytes = Base64::decode_vec(text).map_err(|_| BadIdentity::Damaged)?;
    bytes.try_into().map_err(|_| BadIdentity::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::ExampleEntropy;

    fn example() -> (IdentityFile, Passphrase) {
        let mut entropy = ExampleEntropy::new("identity");
        let secrets = IdentitySecrets::make(PersonId([1; 8]), "mara".into(), Digest([2; 32]), &mut entropy).unwrap();
        let passphrase = Passphrase::new("six little ducks went out".into());
        let file = IdentityFile::seal(
            VaultId([3; 16]),
            DeviceId([4; 8]),
            &secrets,
            &passphrase,
            Argon2Params::DEFAULT,
            &mut entropy,
        );
        (file.unwrap(), passphrase)
    }

    #[test]
    fn an_identity_comes_back_with_its_passphrase_alone() {
        let (file, passphrase) = example();
        let again = IdentityFile::parse(file.to_text().as_bytes()).unwrap();
        assert_eq!(again, file);
        let secrets = again.open(&passphrase).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((secrets.person, secrets.handle.as_str()), (PersonId([1; 8]), "mara"));
        assert_eq!(
            again.open(&Passphrase::new("wrong".into())).err(),
            Some(BadIdentity::WrongPassphrase)
        );
    }

    #[test]
    fn every_flipped_byte_is_noticed_without_a_passphrase() {
        let text = example().0.to_text().into_bytes();
        for at in 0..text.len() {
            let mut bad = text.clone();
            bad[at] ^= 1;
            assert!(IdentityFile::parse(&bad).is_err(), "byte {at}");
        }
    }

    #[test]
    fn each_fault_has_its_words() {
        let text = example().0.to_text();
        let recheck = |body: &str| {
            let body = &body[..body.rfind("check ").unwrap()];
            format!("{body}check {}\n", sha256(&[body.as_bytes()]))
        };
        let fault = |text: &str| IdentityFile::parse(text.as_bytes()).err().unwrap();
        assert_eq!(fault("age-encryption.org/v1\n"), BadIdentity::OtherFile);
        assert_eq!(
            fault(&text.replace("strongroom-identity", "strongroom-newcomer")),
            BadIdentity::Newcomer
        );
        assert_eq!(
            fault(&text.replace("identity-v1", "identity-v2")),
            BadIdentity::OtherVersion
        );
        assert_eq!(fault(&text[..text.len() - 5]), BadIdentity::Damaged);
        assert!(matches!(
            fault(&recheck(&text.replace("argon2id m=", "argon2id m=4294967"))),
            BadIdentity::Cost(_)
        ));
        assert_eq!(
            fault(&recheck(&text.replace("argon2id m=", "argon2id m=0"))),
            BadIdentity::Damaged
        );
        assert_eq!(
            fault(&recheck(&text.replace("\nsealed", " \nsealed"))),
            BadIdentity::Damaged
        );
    }

    #[test]
    fn a_changed_vault_is_no_wrong_plaintext() {
        let (file, passphrase) = example();
        let moved = IdentityFile {
            vault: VaultId([9; 16]),
            ..file
        };
        assert!(moved.open(&passphrase).is_err());
    }

    #[test]
    fn a_newcomer_s_file_comes_back_and_passes_for_no_other() {
        let mut entropy = ExampleEntropy::new("newcomer");
        let secrets = NewcomerSecrets::make("jon".into(), &mut entropy).unwrap();
        let passphrase = Passphrase::new("six little ducks went out".into());
        let device = DeviceId([4; 8]);
        let file = NewcomerFile::seal(device, &secrets, &passphrase, Argon2Params::DEFAULT, &mut entropy).unwrap();
        let text = file.to_text();
        let again = NewcomerFile::parse(text.as_bytes()).unwrap();
        assert_eq!(again, file);
        let opened = again.open(&passphrase).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(opened.handle, "jon");
        assert_eq!(opened.signing_seed.expose(), secrets.signing_seed.expose());
        let wrong = again.open(&Passphrase::new("wrong".into())).err();
        assert_eq!(wrong, Some(BadIdentity::WrongPassphrase));
        assert_eq!(IdentityFile::parse(text.as_bytes()), Err(BadIdentity::Newcomer));
        let (identity, _) = example();
        let other = NewcomerFile::parse(identity.to_text().as_bytes());
        assert_eq!(other, Err(BadIdentity::OtherFile));
        for at in 0..text.len() {
            let mut bad = text.clone().into_bytes();
            bad[at] ^= 1;
            assert!(NewcomerFile::parse(&bad).is_err(), "byte {at}");
        }
        // What was sealed for a newcomer does not open under the lines of another.
        let moved = NewcomerFile {
            device: DeviceId([5; 8]),
            ..file
        };
        assert!(moved.open(&passphrase).is_err());
        let admitted = opened.admitted(PersonId([1; 8]), "jon.2".into(), Digest([2; 32]));
        assert_eq!((admitted.person, admitted.handle.as_str()), (PersonId([1; 8]), "jon.2"));
    }
}
